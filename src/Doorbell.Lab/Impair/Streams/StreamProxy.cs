using System.Net.Sockets;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>Takes connections from clients to an upstream, each with its bytes both ways, as the directions' faults say.</summary>
internal sealed class StreamProxy(ImpairOptions options, List<DoorSocket> doors) : ImpairProxy(options, doors)
{
    /// <summary>Connections at once; the rest waits in the backlog.</summary>
    public const int MaxConnections = 1024;

    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly StreamRoom _room = new();
    private readonly StreamWay _up = new("up", options.Faults.Up);
    private readonly StreamWay _down = new("down", options.Faults.Down);
    private long _opened;
    private long _open;
    private long _refused;
    private long _reset;
    private long _resetAsked;
    private int _saidRefused;

    public override string Unit => "bytes";

    public override WayReading ReadUp() => Read(_up);

    public override WayReading ReadDown() => Read(_down);

    public override IReadOnlyList<(string Name, long Count)> ReadOthers() =>
    [
        ("Connections", Interlocked.Read(ref _opened)), ("Open", Interlocked.Read(ref _open)),
        ("Refused", Interlocked.Read(ref _refused)), ("Reset", Interlocked.Read(ref _reset)),
        ("ResetAsAsked", Interlocked.Read(ref _resetAsked)),
    ];

    /// <summary>Carries connections until it is stopped; those that are open then are reset.</summary>
    public override async Task RunAsync(CancellationToken stop)
    {
        await Task.WhenAll(Doors.Select(door => AcceptAsync(door, stop)));
        for (int place = 0; place < MaxConnections; place++)
        {
            await _places.WaitAsync(CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _places.Dispose();
    }

    private static WayReading Read(StreamWay way)
    {
        // What is sent on has been received, also of what is counted between two readings.
        long discarded = way.Discarded;
        long forwarded = way.Forwarded;
        return new WayReading(way.Name, way.Received, forwarded, [("Discarded", discarded)], []);
    }

    private async Task AcceptAsync(DoorSocket door, CancellationToken stop)
    {
        Backoff backoff = new();
        try
        {
            while (true)
            {
                await _places.WaitAsync(stop);
                Socket? client = null;
                try
                {
                    client = await TryAcceptAsync(door, backoff, stop);
                }
                finally
                {
                    if (client is null)
                    {
                        _places.Release();
                    }
                }

                if (client is not null)
                {
                    // It ends by itself and gives its place back.
                    _ = CarryAsync(client, Interlocked.Increment(ref _opened), stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    /// <summary>A client; null if there was none after all, or a shortage, which passes.</summary>
    /// <exception cref="NetworkException">The listener can't go on.</exception>
    private async Task<Socket?> TryAcceptAsync(DoorSocket door, Backoff backoff, CancellationToken stop)
    {
        try
        {
            Socket client = await door.Socket.AcceptAsync(stop);
            backoff.Reset();
            return client;
        }
        catch (SocketException failure)
        {
            NetworkException said = NetworkException.From("accept", $"{door.Door.Endpoint}", failure);
            switch (AcceptFailures.Classify(failure.SocketErrorCode))
            {
                case AcceptFailure.OfTheConnection:
                    return null;
                case AcceptFailure.OfResources:
                    if (backoff.MayLog())
                    {
                        Options.Report?.Invoke(said.Message);
                    }

                    await backoff.WaitAsync(stop);
                    return null;
                default:
                    throw said;
            }
        }
    }

    private async Task CarryAsync(Socket client, long number, CancellationToken stop)
    {
        // The accepting loop goes on at once.
        Interlocked.Increment(ref _open);
        await Task.Yield();
        try
        {
            if (await ConnectAsync(client, stop) is { } connected)
            {
                using ImpairedConnection connection = new(client, connected);
                Count(await connection.RunAsync(_up, _down, _room, unchecked(Options.Seed + number - 1), stop));
            }
        }
        catch (OperationCanceledException)
        {
            // The proxy ends.
        }
        catch (SocketException)
        {
            // The client's own socket, gone before it could be used.
            Interlocked.Increment(ref _reset);
        }
        finally
        {
            client.Dispose();
            Interlocked.Decrement(ref _open);
            _places.Release();
        }
    }

    /// <summary>A connection to the upstream; if there is none the client is reset, which is what it would hear without a proxy.</summary>
    private async Task<Socket?> ConnectAsync(Socket client, CancellationToken stop)
    {
        if (client.AddressFamily != AddressFamily.Unix)
        {
            client.NoDelay = true;
        }

        try
        {
            return await Connector.ConnectAsync(Options.Upstream, _connectTimeout, stop);
        }
        catch (NetworkException failure)
        {
            Interlocked.Increment(ref _refused);
            if (Interlocked.Exchange(ref _saidRefused, 1) == 0)
            {
                Options.Report?.Invoke(failure.Message);
            }

            client.LingerState = new LingerOption(enable: true, seconds: 0);
            return null;
        }
    }

    private void Count(StreamEnd end)
    {
        if (end == StreamEnd.Reset)
        {
            Interlocked.Increment(ref _reset);
        }
        else if (end == StreamEnd.ResetAsked)
        {
            Interlocked.Increment(ref _resetAsked);
        }
    }
}
