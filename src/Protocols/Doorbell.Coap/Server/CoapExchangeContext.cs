using System.Runtime.ExceptionServices;
using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>A request being answered.</summary>
internal ref struct CoapExchangeContext
{
    /// <summary>As it came.</summary>
    public ReadOnlySpan<byte> Datagram;
    public CoapMessage Message;
    public CoapRequestOptions Asked;
    public DatagramPath Path;
    public CoapMoment At;

    /// <summary>Whether the peer has proved that it is where it says, or need not.</summary>
    public bool IsProved;

    /// <summary>Whether a duplicate is to get this answer, since the request may have changed something.</summary>
    public bool Remembers;

    /// <summary>
    /// Whether the request, though it has changed nothing so far, would have if it came under other circumstances: from one who has proved
    /// where he is, to a server that has room. So its duplicate must not: its client asks again, with another message.
    /// </summary>
    public bool MightHaveEffect;

    /// <summary>Whether it has changed something already, so that nothing may be asked of the peer any more.</summary>
    public bool HasActed;

    /// <summary>What the resource threw.</summary>
    public ExceptionDispatchInfo? Fault;

    public readonly bool IsConfirmable => Message.Type == CoapType.Confirmable;

    /// <summary>Whether its body comes in several blocks.</summary>
    public readonly bool IsInBlocks => Asked.Block1 is { More: true } or { Number: > 0 };
}
