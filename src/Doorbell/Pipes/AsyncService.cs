using System.IO.Pipelines;
using Doorbell.Pipes;

namespace Doorbell;

/// <summary>Services of ordinary <c>async</c> code, as members of <see cref="Service"/>: the pure core has no tasks.</summary>
public static class AsyncService
{
    extension(Service)
    {
        /// <summary>
        /// A service that answers messages framed by <paramref name="framing"/> with <c>async</c> code. It speaks over streams.
        /// </summary>
        /// <param name="name">A short name for logs.</param>
        /// <param name="framing">Where a message ends in a stream.</param>
        /// <param name="answer">Answers one message, on the thread pool.</param>
        /// <param name="maxConcurrent">
        /// How many messages of one connection may be in work at once. While there are as many, no more are received from that peer.
        /// </param>
        /// <param name="answersInAnyOrder">
        /// Whether an answer leaves as soon as it is ready, for protocols whose messages carry an identifier. Otherwise answers leave in
        /// the order of their questions.
        /// </param>
        public static Service Framed(
            string name, Framing framing, AsyncMessageFunction answer, int maxConcurrent = 1, bool answersInAnyOrder = false)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxConcurrent);
            return new Service(name)
            {
                NewStreamHandler = _ => new AsyncMessageHandler(framing, answer, maxConcurrent, answersInAnyOrder),
            };
        }

        /// <summary>A service whose connections are served by <c>async</c> code each, as a <see cref="PipeHandler"/> serves them.</summary>
        /// <param name="name">A short name for logs.</param>
        /// <param name="serve">Serves one connection, which closes when its task ends.</param>
        public static Service Stream(string name, Func<PipeConnection, Task> serve) =>
            new(name) { NewStreamHandler = _ => new FunctionHandler(serve) };

        /// <summary>A service whose connections are served by <c>async</c> code each, as a <see cref="PipeHandler"/> serves them.</summary>
        /// <param name="name">A short name for logs.</param>
        /// <param name="serve">
        /// Serves one connection, which closes when its task ends: its pipes, who is connected, and a token that is cancelled when the
        /// connection is gone.
        /// </param>
        public static Service Stream(string name, Func<IDuplexPipe, ConnectionInfo, CancellationToken, Task> serve) =>
            new(name)
            {
                NewStreamHandler = _ => new FunctionHandler(connection => serve(connection, connection.Info, connection.Closed)),
            };
    }

    private sealed class FunctionHandler(Func<PipeConnection, Task> serve) : PipeHandler
    {
        protected override Task RunAsync(PipeConnection connection) => serve(connection);
    }
}
