using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.Clients;
using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>An answer to a datagram.</summary>
/// <param name="Bytes">The whole datagram.</param>
/// <param name="Peer">The address that answered: the one asked, or of a group or a broadcast address the first that did.</param>
/// <param name="Tries">How often the question was sent.</param>
/// <param name="Elapsed">From the first try to the answer.</param>
public sealed record DatagramAnswer(byte[] Bytes, PeerAddress Peer, int Tries, TimeSpan Elapsed);

/// <summary>
/// The classic client of a datagram service, which knows that a question or its answer may be lost. It promises at least once: a
/// server may see a question more than once, so what it does should be idempotent.
/// </summary>
public static class DatagramClient
{
    private const int MaxDatagramBytes = 65_535;

    /// <summary>
    /// Sends a question and waits for an answer, sending again as <paramref name="schedule"/> says. Every question has a socket
    /// and so an ephemeral port of its own (RFC 5452 section 9), connected so that the kernel passes datagrams of the address asked
    /// only: a late, doubled or forged answer to another question can't be taken for this one's. If a group or a broadcast address
    /// is asked, the first answer that comes from the port asked counts.
    /// </summary>
    /// <param name="endpoint">A UDP or unix datagram endpoint. A name's addresses are tried in turn as they refuse.</param>
    /// <param name="question">The whole datagram; may be empty.</param>
    /// <param name="timeout">Bounds the whole exchange.</param>
    /// <param name="schedule">When to send again.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">Nobody listens there, or no answer came in time.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> gave up.</exception>
    public static Task<DatagramAnswer> AskAsync(
        Endpoint endpoint, ReadOnlyMemory<byte> question, TimeSpan timeout, RetrySchedule schedule, CancellationToken cancellation) =>
        AskAsync(endpoint, question, timeout, schedule, ClientOptions.Default, cancellation);

    /// <summary>As the other, with sockets made as <paramref name="options"/> says.</summary>
    /// <param name="endpoint">A UDP or unix datagram endpoint. A name's addresses are tried in turn as they refuse.</param>
    /// <param name="question">The whole datagram; may be empty.</param>
    /// <param name="timeout">Bounds the whole exchange.</param>
    /// <param name="schedule">When to send again.</param>
    /// <param name="options">How to make the sockets.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">Nobody listens there, no answer came in time, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">An option has no effect on the endpoint.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> gave up.</exception>
    public static async Task<DatagramAnswer> AskAsync(
        Endpoint endpoint, ReadOnlyMemory<byte> question, TimeSpan timeout, RetrySchedule schedule, ClientOptions options,
        CancellationToken cancellation)
    {
        schedule.Validate();
        options.Validate(endpoint);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        EndPoint[] addresses = endpoint.IsUnix
            ? [new UnixEndPoint(endpoint.Path!)]
            : await Connector.ResolveAsync(endpoint, timeout, options, cancellation, deadline.Token).ConfigureAwait(false);
        List<string> refusals = [];
        foreach (EndPoint address in addresses)
        {
            string operation = "socket";
            Exchange exchange = new(question, schedule, options, deadline.Token);
            try
            {
                using Socket socket = DatagramSocket.Connect(endpoint, address, options, ref operation);
                operation = "send";
                return await exchange.RunAsync(socket, address).ConfigureAwait(false);
            }
            catch (SocketException refused) when (addresses.Length > 1)
            {
                refusals.Add($"{address}: {NetworkException.Answer(refused)}");
                if (refusals.Count == addresses.Length)
                {
                    string target = endpoint.ToString();
                    throw new NetworkException(
                        operation,
                        target,
                        $"no address took the question: {string.Join(", ", refusals)}",
                        refused.SocketErrorCode,
                        Advice.For(operation, refused.SocketErrorCode, target),
                        refused);
                }
            }
            catch (SocketException failure)
            {
                throw NetworkException.From(operation, endpoint.ToString(), failure);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new NetworkException(
                    "receive",
                    endpoint.ToString(),
                    $"no answer within {timeout.TotalSeconds:0.###} s to {Tries(exchange.Tried)}",
                    SocketError.TimedOut,
                    "datagrams can get lost: ask again, allow a longer timeout and more RetrySchedule.Tries, "
                        + "or look whether the server answers at all");
            }
        }

        throw new UnreachableException();
    }

    private static string Tries(int count) => count == 1 ? "1 try" : $"{count} tries";

    /// <summary>One question to one address.</summary>
    private sealed class Exchange(
        ReadOnlyMemory<byte> question, RetrySchedule schedule, ClientOptions options, CancellationToken deadline)
    {
        public int Tried { get; private set; }

        public async Task<DatagramAnswer> RunAsync(Socket socket, EndPoint address)
        {
            long began = Stopwatch.GetTimestamp();
            byte[] buffer = new byte[MaxDatagramBytes];
            Task<SocketReceiveFromResult> answer = socket.Connected
                ? ReceiveAsync(socket, buffer)
                : ReceiveOfManyAsync(socket, buffer, address);
            while (true)
            {
                options.Sending?.Invoke(question);
                await SendAsync(socket, address).ConfigureAwait(false);
                TimeSpan interval = schedule.IntervalAfter(++Tried, Random.Shared);
                Task wait = Task.Delay(interval == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : interval, deadline);
                if (await Task.WhenAny(answer, wait).ConfigureAwait(false) == answer)
                {
                    SocketReceiveFromResult got = await answer.ConfigureAwait(false);
                    options.Received?.Invoke(buffer.AsMemory(0, got.ReceivedBytes));
                    PeerAddress peer = got.RemoteEndPoint is IPEndPoint ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(null);
                    return new DatagramAnswer(buffer[..got.ReceivedBytes], peer, Tried, Stopwatch.GetElapsedTime(began));
                }

                await wait.ConfigureAwait(false);
            }
        }

        private ValueTask<int> SendAsync(Socket socket, EndPoint address) => socket.Connected
            ? socket.SendAsync(question, SocketFlags.None, deadline)
            : socket.SendToAsync(question, SocketFlags.None, address, deadline);

        private async Task<SocketReceiveFromResult> ReceiveAsync(Socket socket, byte[] buffer) => new()
        {
            ReceivedBytes = await socket.ReceiveAsync(buffer, SocketFlags.None, deadline).ConfigureAwait(false),
            RemoteEndPoint = socket.RemoteEndPoint!,
        };

        private async Task<SocketReceiveFromResult> ReceiveOfManyAsync(Socket socket, byte[] buffer, EndPoint asked)
        {
            while (true)
            {
                SocketReceiveFromResult got =
                    await socket.ReceiveFromAsync(buffer, SocketFlags.None, asked, deadline).ConfigureAwait(false);
                if (((IPEndPoint)got.RemoteEndPoint).Port == ((IPEndPoint)asked).Port)
                {
                    return got;
                }
            }
        }
    }
}
