// Blocking is the point here: the context must not be needed.
#pragma warning disable xUnit1031

namespace Doorbell.Tests;

/// <summary>A program with a thread to protect (a user interface, a test runner) must not carry the server's work on it.</summary>
public sealed class SynchronizationContextTests
{
    [Theory]
    [InlineData("handler")]
    [InlineData("delay")]
    public void Neither_server_nor_client_needs_the_context_it_was_started_in(string service)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        StuckContext stuck = new();
        SynchronizationContext.SetSynchronizationContext(stuck);
        try
        {
            Task<Running> starting = StreamBehaviourTests.StartAsync(service, "tcp", "async");
            Assert.True(starting.Wait(TimeSpan.FromSeconds(20)));
            Running server = starting.Result;
            using Peer peer = server.Connect();
            foreach (byte b in Enumerable.Repeat("one byte at a time, more than a turn's worth "u8.ToArray(), 10).SelectMany(static b => b))
            {
                peer.Send([b]);
            }

            peer.Send("\n");
            Assert.EndsWith("A TURN'S WORTH \n", peer.Receive(451), StringComparison.Ordinal);
            TimeSpan timeout = TimeSpan.FromSeconds(10);
            using StreamClient client = Result(StreamClient.ConnectAsync(server.Endpoint, timeout, CancellationToken.None));
            Assert.Equal("HI"u8, Result(client.AskAsync("hi"u8.ToArray(), timeout, CancellationToken.None)));
            client.Dispose();
            peer.Dispose();
            Assert.True(server.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(20)));
            Assert.Equal(0, stuck.Posts);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static T Result<T>(Task<T> task)
    {
        Assert.True(task.Wait(TimeSpan.FromSeconds(20)));
        return task.Result;
    }

    /// <summary>A context whose thread is busy for ever: what is posted to it never runs.</summary>
    private sealed class StuckContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posts);
    }
}
