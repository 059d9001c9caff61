using System.Runtime.ExceptionServices;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>One request while it is processed: what has come, from whom, and what has become of it so far.</summary>
internal ref struct CoapExchangeContext
{
    /// <summary>The request's datagram.</summary>
    public ReadOnlySpan<byte> Datagram;

    /// <summary>The message in the datagram.</summary>
    public CoapMessage Message;

    /// <summary>What the message's options say.</summary>
    public CoapRequestOptions Options;

    /// <summary>The peer's address and ours.</summary>
    public DatagramPath Path;

    /// <summary>When the request came.</summary>
    public CoapMoment At;

    /// <summary>How long the response of a slow resource waits before it is computed.</summary>
    public TimeSpan Leisure;

    /// <summary>Whether the peer has proved its address, or need not.</summary>
    public bool IsProved;

    /// <summary>Whether a duplicate is to get the same response, since the request may have changed something.</summary>
    public bool Remembers;

    /// <summary>
    /// Whether the request, though it has changed nothing so far, could have under other circumstances: from a peer with a proved
    /// address, or at a server with free room. Then a duplicate must not have an effect either, as the client repeats the request in
    /// another message.
    /// </summary>
    public bool MightHaveEffect;

    /// <summary>Whether the request has changed something already, so that the peer can no longer be asked for a proof first.</summary>
    public bool HasTakenEffect;

    /// <summary>What fits one message to a peer at the other end of a stream; the default over datagrams.</summary>
    public CoapStreamRoom Room;

    /// <summary>What the resource threw.</summary>
    public ExceptionDispatchInfo? Fault;

    public readonly bool IsConfirmable => Message.Type == CoapType.Confirmable;

    /// <summary>Whether the request's body comes in several blocks.</summary>
    public readonly bool IsInBlocks => Options.Block1 is { More: true } or { Number: > 0 };
}
