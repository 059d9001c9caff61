namespace Doorbell;

/// <summary>What is known of a service's messages and answers, which protocols such as CoAP and HTTP say to their clients.</summary>
public sealed record MessageTraits
{
    /// <summary>
    /// Whether an answer changes nothing that anybody could notice (RFC 9110 section 9.2.1), so that a message which comes twice does no
    /// harm.
    /// Default false.
    /// </summary>
    public bool IsSafe { get; init; }

    /// <summary>Whether the message's bytes matter; false for a service that answers the same to any. Default true.</summary>
    public bool ReadsMessage { get; init; } = true;

    /// <summary>The media type of an answer, such as <c>text/plain; charset=utf-8</c> (RFC 6838); null if it is not known.</summary>
    public string? AnswerType { get; init; }

    /// <summary>The media type that a message must have; null for any.</summary>
    public string? MessageType { get; init; }
}
