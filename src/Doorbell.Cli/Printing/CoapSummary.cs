using System.Text.Json;
using Doorbell.Coap;

namespace Doorbell.Cli.Printing;

/// <summary>What <c>serve</c> says at its end of its <c>coap://</c> endpoints, all of them together.</summary>
internal static class CoapSummary
{
    public static string Line(CoapServerCounts counts) =>
        $"; CoAP: {counts.EvictedExchanges} requests forgotten early, {counts.Challenges} challenged, {counts.Unsent} answers not sent, "
            + $"{counts.RefusedBodies} bodies refused, {counts.EvictedBodies} forgotten, {counts.TimedOutBodies} timed out, "
            + $"{counts.UnacknowledgedAnswers} answers unacknowledged, {counts.RefusedObservations} observations refused, "
            + $"{counts.LostObservations} given up";

    public static void Write(Utf8JsonWriter writer, CoapServerCounts counts)
    {
        writer.WriteStartObject("coap");
        writer.WriteNumber("evictedExchanges", counts.EvictedExchanges);
        writer.WriteNumber("challenges", counts.Challenges);
        writer.WriteNumber("unsent", counts.Unsent);
        writer.WriteNumber("refusedBodies", counts.RefusedBodies);
        writer.WriteNumber("evictedBodies", counts.EvictedBodies);
        writer.WriteNumber("timedOutBodies", counts.TimedOutBodies);
        writer.WriteNumber("unacknowledgedAnswers", counts.UnacknowledgedAnswers);
        writer.WriteNumber("refusedObservations", counts.RefusedObservations);
        writer.WriteNumber("lostObservations", counts.LostObservations);
        writer.WriteEndObject();
    }
}
