namespace Doorbell.Tls;

/// <summary>The handshakes of a server that are under way, of which there is a largest number. Any thread may use it.</summary>
internal sealed class TlsHandshakes
{
    private int _underWay;
    private volatile int _most;

    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>More of them are not begun.</summary>
    public int Most
    {
        get => _most;
        set => _most = value;
    }

    /// <summary>One begins; false if too many are under way.</summary>
    public bool TryBegin()
    {
        if (Interlocked.Increment(ref _underWay) <= _most)
        {
            return true;
        }

        Over();
        return false;
    }

    /// <summary>One is over.</summary>
    public void Over() => Interlocked.Decrement(ref _underWay);
}
