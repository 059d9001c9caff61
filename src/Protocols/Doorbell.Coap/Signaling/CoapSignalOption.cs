namespace Doorbell.Coap.Signaling;

/// <summary>The numbers of options of signaling messages, which each code has its own of (RFC 8323 section 5.2).</summary>
internal static class CoapSignalOption
{
    /// <summary>Of a CSM: the largest message that its sender takes, in bytes, from the header on.</summary>
    public const int MaxMessageSize = 2;

    /// <summary>Of a CSM: its sender takes blocks (RFC 7959).</summary>
    public const int BlockWiseTransfer = 4;

    /// <summary>Of a ping or a pong: all that came before the ping is done.</summary>
    public const int Custody = 2;

    /// <summary>Of an abort: the critical option of a CSM that was not understood.</summary>
    public const int BadCsmOption = 2;
}
