namespace Doorbell.Coap.Codec;

/// <summary>What stands at the beginning of what has come over a stream.</summary>
internal enum CoapFraming
{
    /// <summary>A frame, or nothing, whose rest has not come yet.</summary>
    Incomplete,

    /// <summary>A whole frame.</summary>
    Whole,

    /// <summary>A frame that is larger than may be.</summary>
    TooLarge,

    /// <summary>No frame: a token's length of 9 to 15 is reserved.</summary>
    Broken,
}
