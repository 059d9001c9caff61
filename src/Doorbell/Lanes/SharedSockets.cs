using System.Collections.Concurrent;
using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>
/// Sockets of the server's doors that some lanes serve. It closes them as soon as the last lane has done with them, while connections go
/// on; a lane closes none itself. (At its end the server closes those that no lane came to serve.)
/// </summary>
internal sealed class SharedSockets(IReadOnlyList<DoorSocket> sockets, int lanes)
{
    private int _left = lanes;

    public IReadOnlyList<DoorSocket> Sockets => sockets;

    /// <summary>How many lanes they were made for.</summary>
    public int Lanes { get; } = lanes;

    /// <summary>Connections accepted in the drain, for lanes that carry one at a time: whoever is free takes the next.</summary>
    public ConcurrentQueue<AcceptedSocket> Held { get; } = new();

    /// <summary>A lane has done with them: it accepts or receives no more. Called once by each.</summary>
    /// <param name="takeRest">
    /// Called by the last lane for each listener right before it is closed, when nobody can connect to it any more: what has come to it
    /// since its own lanes left would be reset.
    /// </param>
    public void Leave(Action<DoorSocket>? takeRest = null)
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            if (takeRest is not null)
            {
                DoorSocket.StopConnects(sockets);
            }

            foreach (DoorSocket socket in sockets)
            {
                takeRest?.Invoke(socket);
                socket.Release();
            }
        }
    }
}
