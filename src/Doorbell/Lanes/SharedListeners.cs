using Doorbell.Sockets;

namespace Doorbell.Lanes;

/// <summary>
/// The listeners that several lanes accept from: closed as soon as the last lane has done with accepting, while connections go on.
/// </summary>
internal sealed class SharedListeners(IReadOnlyList<DoorSocket> sockets, int lanes)
{
    private int _accepting = lanes;

    public IReadOnlyList<DoorSocket> Sockets => sockets;

    /// <summary>A lane accepts no more.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _accepting) == 0)
        {
            foreach (DoorSocket listener in sockets)
            {
                listener.Release();
            }
        }
    }
}
