namespace Doorbell.Coap;

/// <summary>How a CoAP request ended.</summary>
/// <param name="Id">The request's, from <see cref="CoapClient.TryAsk"/>.</param>
/// <param name="Failure">Why there is no answer, or <see cref="CoapFailure.None"/>.</param>
/// <param name="Code">The answer's code; <see cref="CoapCode.Empty"/> if there is none.</param>
/// <param name="Body">All of it.</param>
/// <param name="ContentFormat">The body's format; null if it was not said.</param>
/// <param name="Sends">How many datagrams it took, repetitions and blocks among them.</param>
/// <param name="Elapsed">Since it was asked.</param>
public sealed record CoapClientResponse(
    long Id, CoapFailure Failure, CoapCode Code, byte[] Body, int? ContentFormat, int Sends, TimeSpan Elapsed)
{
    /// <summary>
    /// Whether it is a state of an observed resource (<see cref="CoapClientRequest.Observes"/>) or one of several servers' answers
    /// (<see cref="CoapClientRequest.Collects"/>), behind which more may follow.
    /// </summary>
    public bool IsNotification { get; init; }

    /// <summary>Who has answered, over a stream, or of what <see cref="CoapClientHandler.Notified"/> is told.</summary>
    public PeerAddress From { get; init; }

    /// <summary>
    /// Whether the body is the first block of a larger one: of a group's answers the rest is not fetched, as it is another for each server.
    /// </summary>
    public bool IsCut { get; init; }
}
