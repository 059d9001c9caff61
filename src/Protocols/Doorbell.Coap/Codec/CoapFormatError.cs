namespace Doorbell.Coap.Codec;

/// <summary>Why bytes are no CoAP message (RFC 7252 section 3).</summary>
internal enum CoapFormatError
{
    /// <summary>They are one.</summary>
    None,

    /// <summary>Less than the 4 bytes of the header.</summary>
    TooShort,

    /// <summary>Not version 1: to be ignored silently.</summary>
    UnknownVersion,

    /// <summary>A token's length of 9 to 15.</summary>
    TokenTooLong,

    /// <summary>It ends within the token.</summary>
    TokenCut,

    /// <summary>A code of class 1, 6 or 7, or an acknowledgement or reset that carries a request.</summary>
    ReservedCode,

    /// <summary>Code 0.00 with more than the header behind it, a reset that isn't empty, or an empty non-confirmable message.</summary>
    EmptyMisused,

    /// <summary>A delta or length of 15 that is not the payload's marker.</summary>
    ReservedOptionHeader,

    /// <summary>It ends within an option.</summary>
    OptionCut,

    /// <summary>An option's number past 65,535.</summary>
    OptionNumberTooLarge,

    /// <summary>A payload's marker with no payload behind it.</summary>
    EmptyPayload,
}
