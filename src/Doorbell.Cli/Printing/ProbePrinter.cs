using System.Globalization;
using System.Text.Json;

namespace Doorbell.Cli.Printing;

/// <summary>Prints what was found at endpoints: a line each, or JSON.</summary>
internal sealed class ProbePrinter(TextWriter output, bool json, int width)
{
    /// <summary>As text the open ports of a range, and how many are in each state; every one as JSON.</summary>
    /// <param name="word">As it was given.</param>
    /// <param name="found">One result for each port.</param>
    public void Print(string word, ProbeResult[] found)
    {
        bool isRange = found.Length > 1 && !json;
        foreach (ProbeResult result in found.Where(result => !isRange || result.State == ProbeState.Open))
        {
            Print(result);
        }

        if (isRange)
        {
            IEnumerable<string> counts = found.CountBy(static result => result.State)
                .OrderBy(static count => count.Key)
                .Select(static count => $"{count.Value} {JsonNamingPolicy.CamelCase.ConvertName(count.Key.ToString())}");
            output.WriteLine($"{PrintableText.Escape(word)}: {string.Join(", ", counts)}");
        }
    }

    private void Print(ProbeResult result)
    {
        string state = JsonNamingPolicy.CamelCase.ConvertName(result.State.ToString());
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteString("endpoint", result.Endpoint.ToString());
                writer.WriteString("state", state);
                writer.WriteNumber("milliseconds", Math.Round(result.Time.TotalMilliseconds, 3));
                writer.WriteString("error", result.Error);
                writer.WriteString("why", result.Why);
                writer.WriteString("greeting", result.Greeting);
            }));
            return;
        }

        string more = result.State switch
        {
            ProbeState.Open => string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Time.TotalMilliseconds:0.0} ms{(result.Greeting is { } said ? $"  {said}" : "")}"),
            ProbeState.Silent when !result.Endpoint.IsStream => "no answer: nobody serves there, or who does has nothing to answer",
            _ => Why(result),
        };
        output.WriteLine($"{result.Endpoint.ToString().PadRight(width)}  {state,-6}  {more}");
    }

    /// <summary>The endpoint stands at the line's beginning already.</summary>
    private static string Why(ProbeResult result)
    {
        string why = result.Why ?? "";
        int end = why.IndexOf($"{result.Endpoint}: ", StringComparison.Ordinal);
        return end < 0 ? why : why[(end + result.Endpoint.ToString().Length + 2)..];
    }
}
