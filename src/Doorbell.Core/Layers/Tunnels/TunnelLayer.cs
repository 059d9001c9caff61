namespace Doorbell.Sessions;

/// <summary>
/// Asks a proxy for a connection, and leaves when it has it: what comes behind the proxy's answer is the server's. It never takes a byte
/// more than the answer, and takes each byte of that at once.
/// </summary>
internal abstract class TunnelLayer(TunnelProxy proxy, Endpoint target) : StreamLayer
{
    public override int MaxUnitBytes => 1;

    public TunnelProxy Proxy => proxy;

    public Endpoint Target => target;

    /// <summary>What the proxy's refusal is as errno(3) has it, as far as the proxy says; null for something else.</summary>
    public string? Error { get; private set; }

    /// <summary>What to do about it; null where there is nothing to say.</summary>
    public string? Advice { get; private set; }

    /// <summary>The proxy does not make the connection.</summary>
    /// <param name="consumed">What of its answer was taken.</param>
    /// <param name="why">What the proxy does, as in "refuses the password".</param>
    /// <param name="error">As errno(3) has it.</param>
    /// <param name="advice">What to do.</param>
    protected Unwrapped Fail(int consumed, string why, string? error = null, string? advice = null)
    {
        Failure = $"the proxy {proxy} {why}";
        Error = error;
        Advice = advice;
        return new Unwrapped(consumed, 0, LayerState.Failed);
    }

    /// <summary>It waits for more of the answer.</summary>
    protected static Unwrapped More(int consumed) => new(consumed, 0, LayerState.Opening);

    /// <summary>The connection is made.</summary>
    protected static Unwrapped Done(int consumed) => new(consumed, 0, LayerState.Transparent);
}
