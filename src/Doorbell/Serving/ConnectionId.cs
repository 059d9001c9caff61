namespace Doorbell.Serving;

/// <summary>Numbers for connections, taken when somebody asks for one's: most are never asked.</summary>
internal static class ConnectionId
{
    private static long _last;

    /// <summary>The connection's number; a new one if it has none.</summary>
    public static long Of(ref long id)
    {
        if (Volatile.Read(ref id) == 0)
        {
            Interlocked.CompareExchange(ref id, Interlocked.Increment(ref _last), 0);
        }

        return id;
    }
}
