using System.Diagnostics;
using System.Net.Sockets;

namespace Doorbell.Lab.Models;

/// <summary>Clients that send half a line and hold their connection, and how long a new client waits for its answer meanwhile.</summary>
/// <param name="server">Whom they hold up, or not.</param>
/// <param name="cap">A new client gives up after this.</param>
internal sealed class SlowClients(ServerUnderTest server, TimeSpan cap) : IDisposable
{
    private const int Tries = 3;
    private static readonly TimeSpan _maxToConnect = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _untilTaken = TimeSpan.FromMilliseconds(10);

    private readonly List<Socket> _slow = [];

    /// <summary>How many slow clients there are, one measurement after the other.</summary>
    public static IReadOnlyList<int> Counts { get; } = [0, 1, 2, 4, 8, 16, 32, 64];

    /// <summary>Brings the slow clients to so many, then measures.</summary>
    /// <returns>The median wait of some new clients, one after the other; null if one was not answered within the cap.</returns>
    public async Task<TimeSpan?> WaitOfNewClientAsync(int slowClients, CancellationToken cancellation)
    {
        await BringToAsync(slowClients, cancellation);
        List<TimeSpan> waits = [];
        while (waits.Count < Tries)
        {
            if (await AskAsync(cancellation) is not { } wait)
            {
                return null;
            }

            waits.Add(wait);
        }

        waits.Sort();
        return waits[Tries / 2];
    }

    public void Dispose() => _slow.ForEach(static socket => socket.Dispose());

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private async Task BringToAsync(int count, CancellationToken cancellation)
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(_maxToConnect);
        while (_slow.Count < count)
        {
            Socket socket = NewSocket();
            _slow.Add(socket);
            try
            {
                await socket.ConnectAsync(server.Address, enough.Token);
                await socket.SendAsync("half a li"u8.ToArray(), enough.Token);
            }
            catch (SocketException failure)
            {
                throw NetworkException.From("connect", server.Name, failure);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw NetworkException.From("connect", server.Name, new TimeoutException());
            }
        }

        await Task.Delay(_untilTaken, cancellation);
    }

    /// <summary>Null if it was not answered within the cap.</summary>
    private async Task<TimeSpan?> AskAsync(CancellationToken cancellation)
    {
        using Socket socket = NewSocket();
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        long began = Stopwatch.GetTimestamp();
        enough.CancelAfter(cap);
        try
        {
            await socket.ConnectAsync(server.Address, enough.Token);
            await IdleMemory.AskAsync(socket, new Question(_slow.Count), server.Name, enough.Token);
            return Stopwatch.GetElapsedTime(began);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("ask", server.Name, failure);
        }
    }
}
