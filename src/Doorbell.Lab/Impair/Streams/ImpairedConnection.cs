using System.Net.Sockets;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>One connection through the proxy: a client's and one to the upstream, both closed with this.</summary>
internal sealed class ImpairedConnection(Socket client, Socket upstream) : IDisposable
{
    private readonly StreamPeer _client = new(client);
    private readonly StreamPeer _upstream = new(upstream);

    /// <summary>Carries both directions until both have ended, or one ends by a reset: then both peers are reset.</summary>
    /// <exception cref="OperationCanceledException">The proxy ends; both peers are reset, since what they were told is not all.</exception>
    public async Task<StreamEnd> RunAsync(StreamWay up, StreamWay down, StreamRoom room, long seed, CancellationToken stop)
    {
        StreamEnd end = StreamEnd.Reset;
        try
        {
            end = await CarryAsync(up, down, room, seed, stop);
            return end;
        }
        finally
        {
            if (end != StreamEnd.Orderly)
            {
                _client.Reset();
                _upstream.Reset();
            }
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _upstream.Dispose();
    }

    private async Task<StreamEnd> CarryAsync(StreamWay up, StreamWay down, StreamRoom room, long seed, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using StreamPump upPump = new(_client, _upstream, up, room, seed);
        await using StreamPump downPump = new(_upstream, _client, down, room, ~seed);
        Task<StreamEnd> carryUp = upPump.RunAsync(over.Token);
        Task<StreamEnd> carryDown = downPump.RunAsync(over.Token);
        try
        {
            Task<StreamEnd> first = await Task.WhenAny(carryUp, carryDown);
            StreamEnd end = await first;
            return end == StreamEnd.Orderly ? await (first == carryUp ? carryDown : carryUp) : end;
        }
        finally
        {
            // Nothing is left under way when the sockets are closed.
            await over.CancelAsync();
            Task both = Task.WhenAll(carryUp, carryDown);
            await both.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
