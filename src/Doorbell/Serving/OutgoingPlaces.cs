namespace Doorbell.Serving;

/// <summary>
/// How many connections of our own may be open, or about to be, at once. A handler decides how often it connects, and so, through it,
/// does its peer. Any thread may call any member.
/// </summary>
/// <param name="max">So many.</param>
/// <param name="advice">What allows more; null for nothing.</param>
internal sealed class OutgoingPlaces(int max, string? advice)
{
    private int _taken;

    /// <summary>As of a <see cref="ServerOptions"/>, which has the bound's default.</summary>
    public static OutgoingPlaces Of(ServerOptions options) => new(
        options.MaxOutgoingConnections ?? (int)Math.Min(2L * options.MaxConnections, int.MaxValue),
        "ServerOptions.MaxOutgoingConnections allows more");

    public bool TryAcquire()
    {
        if (Interlocked.Increment(ref _taken) <= max)
        {
            return true;
        }

        Release();
        return false;
    }

    public void Release() => Interlocked.Decrement(ref _taken);

    /// <summary>What a handler is told that asks for one too many.</summary>
    public ConnectFailure Refusal(Endpoint endpoint) => new(
        "EAGAIN",
        $"connect {endpoint}: as many connections of handlers are open as may be, {max} (EAGAIN){(advice is null ? "" : $"; {advice}")}");
}
