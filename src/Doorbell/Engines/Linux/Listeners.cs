namespace Doorbell;

/// <summary>
/// The listeners that several lanes accept from: closed as soon as the last lane has done with accepting, while connections go on.
/// </summary>
internal sealed class Listeners(IReadOnlyList<BoundSocket> sockets, int lanes)
{
    private int _accepting = lanes;

    public IReadOnlyList<BoundSocket> Sockets => sockets;

    /// <summary>A lane accepts no more.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _accepting) == 0)
        {
            foreach (BoundSocket listener in sockets)
            {
                listener.Release();
            }
        }
    }
}
