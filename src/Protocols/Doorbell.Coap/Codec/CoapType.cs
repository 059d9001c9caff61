namespace Doorbell.Coap.Codec;

/// <summary>The type of a CoAP message (RFC 7252 section 3).</summary>
internal enum CoapType
{
    /// <summary>CON: to be acknowledged, and sent again until it is.</summary>
    Confirmable = 0,

    /// <summary>NON: sent once.</summary>
    NonConfirmable = 1,

    /// <summary>ACK: a confirmable message has arrived; may carry the answer.</summary>
    Acknowledgement = 2,

    /// <summary>RST: a message has arrived that nothing can be done with.</summary>
    Reset = 3,
}
