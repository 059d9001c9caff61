using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>A request that was acknowledged and is answered later, in a message of its own (RFC 7252 section 5.2.2).</summary>
/// <param name="request">The datagram, copied.</param>
/// <param name="body">The whole body if it came in blocks; otherwise null.</param>
/// <param name="path">Between whom.</param>
/// <param name="due">When it is answered, or its answer sent again.</param>
internal sealed class CoapSeparateResponse(byte[] request, byte[]? body, DatagramPath path, TimeSpan due)
{
    public byte[] Request => request;

    public byte[]? Body => body;

    public DatagramPath Path => path;

    public TimeSpan Due { get; set; } = due;

    /// <summary>Whether the answer is sent again until it is acknowledged.</summary>
    public bool IsConfirmable { get; init; }

    /// <summary>The answer's datagram; null until it is computed.</summary>
    public byte[]? Answer { get; set; }

    public ushort MessageId { get; set; }

    public int Sent { get; set; }

    public TimeSpan Interval { get; set; }
}
