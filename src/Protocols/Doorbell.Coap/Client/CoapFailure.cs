namespace Doorbell.Coap;

/// <summary>Why a CoAP request ended without its answer.</summary>
public enum CoapFailure
{
    /// <summary>It has its answer, though that may be an error's code.</summary>
    None,

    /// <summary>No answer, though sent as often as the time allows. Whether it had its effect is unknown.</summary>
    NoAnswer,

    /// <summary>The peer reset it: it makes nothing of such messages.</summary>
    Reset,

    /// <summary>An option of the answer must be understood and isn't.</summary>
    OptionNotUnderstood,

    /// <summary>The answer's body is larger than <see cref="CoapClientLimits.MaxAnswerBytes"/>.</summary>
    AnswerTooLarge,

    /// <summary>The answer's blocks don't fit together, or it changed while they were fetched.</summary>
    AnswerBroken,

    /// <summary>The peer answered a part of the request's body as if it were the whole.</summary>
    BodyNotTaken,
}
