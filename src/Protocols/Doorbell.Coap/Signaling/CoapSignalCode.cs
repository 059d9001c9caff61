namespace Doorbell.Coap.Signaling;

/// <summary>The codes of signaling messages (RFC 8323 section 5), which two ends of a connection send each other about it.</summary>
internal static class CoapSignalCode
{
    /// <summary>7.01, CSM: what its sender can do. The first message of each side.</summary>
    public static CoapCode Capabilities { get; } = new(0xe1);

    /// <summary>7.02: is anybody there?</summary>
    public static CoapCode Ping { get; } = new(0xe2);

    /// <summary>7.03: the answer to a ping.</summary>
    public static CoapCode Pong { get; } = new(0xe3);

    /// <summary>7.04: the sender wants to end the connection in order; no more requests are to be sent.</summary>
    public static CoapCode Release { get; } = new(0xe4);

    /// <summary>7.05: the sender ends the connection, since it can't go on.</summary>
    public static CoapCode Abort { get; } = new(0xe5);

    /// <summary>The class of all of them.</summary>
    public const int Class = 7;
}
