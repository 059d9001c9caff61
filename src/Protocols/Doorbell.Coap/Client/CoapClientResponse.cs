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
    /// Whether it is a state of an observed resource, behind which more may follow (<see cref="CoapClientRequest.Observes"/>).
    /// </summary>
    public bool IsNotification { get; init; }
}
