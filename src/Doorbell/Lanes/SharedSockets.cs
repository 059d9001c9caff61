using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>
/// Sockets of the server's doors that some lanes serve. It closes them as soon as the last lane has done with them, while connections go
/// on; a lane closes none itself. (At its end the server closes those that no lane came to serve.)
/// </summary>
internal sealed class SharedSockets(IReadOnlyList<DoorSocket> sockets, int lanes)
{
    private int _lanes = lanes;

    public IReadOnlyList<DoorSocket> Sockets => sockets;

    /// <summary>A lane has done with them: it accepts or receives no more. Called once by each.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _lanes) == 0)
        {
            foreach (DoorSocket socket in sockets)
            {
                socket.Release();
            }
        }
    }
}
