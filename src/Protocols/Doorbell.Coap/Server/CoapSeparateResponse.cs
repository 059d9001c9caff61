using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>A request that was acknowledged and whose response comes later, in a message of its own (RFC 7252 section 5.2.2).</summary>
/// <param name="request">The request's datagram, copied.</param>
/// <param name="body">The whole body of a request that came in blocks; otherwise null.</param>
/// <param name="path">The peer's address and ours.</param>
/// <param name="due">When the response is computed, or sent again.</param>
internal sealed class CoapSeparateResponse(byte[] request, byte[]? body, DatagramPath path, TimeSpan due)
{
    public byte[] Request => request;

    public byte[]? Body => body;

    public DatagramPath Path => path;

    public TimeSpan Due { get; set; } = due;

    /// <summary>Whether the response is sent again until it is acknowledged.</summary>
    public bool IsConfirmable { get; init; }

    /// <summary>The response's datagram; null until it is computed.</summary>
    public byte[]? Datagram { get; set; }

    /// <summary>The ID of the request's message, and of the response's (<see cref="CoapResponseWriter"/>).</summary>
    public required ushort MessageId { get; init; }

    /// <summary>How often the response has been sent.</summary>
    public int Sent { get; set; }

    /// <summary>When the response was sent first.</summary>
    public TimeSpan FirstSent { get; set; }

    /// <summary>The wait before the response is sent again.</summary>
    public TimeSpan Interval { get; set; }
}
