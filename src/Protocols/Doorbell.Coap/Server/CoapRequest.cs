namespace Doorbell.Coap;

/// <summary>A request as a resource sees it: whole, however many blocks its body came in. Lent for the call.</summary>
public readonly ref struct CoapRequest
{
    internal CoapRequest(CoapMessage message, ReadOnlySpan<byte> body, PeerAddress from, CoapMoment at)
    {
        Method = message.Code;
        Options = message.Options;
        Payload = body;
        From = from;
        Now = at.Now;
        UtcNow = at.UtcNow;
    }

    /// <summary>GET, POST, PUT, DELETE, FETCH or another of class 0.</summary>
    public CoapCode Method { get; }

    /// <summary>Those of the last block's message; each critical one is known to the server.</summary>
    public CoapOptions Options { get; }

    /// <summary>The whole body; may be empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Where it came from.</summary>
    public PeerAddress From { get; }

    /// <summary>Monotonic time since an arbitrary start.</summary>
    public TimeSpan Now { get; }

    /// <summary>The wall clock.</summary>
    public DateTimeOffset UtcNow { get; }
}
