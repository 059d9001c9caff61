using System.Globalization;
using System.Text.RegularExpressions;

namespace Doorbell.Cli.Arguments;

/// <summary>Endpoints given as one word: <c>tcp://localhost:7000</c>, or with several ports, <c>tcp://localhost:7000-7010</c>.</summary>
/// <param name="Word">As it was given.</param>
/// <param name="Endpoints">One for each port.</param>
internal sealed partial record PortRange(string Word, IReadOnlyList<Endpoint> Endpoints)
{
    /// <exception cref="FormatException">It is no endpoint, or its last port comes before its first.</exception>
    public static PortRange Parse(string word, params IReadOnlyList<ApplicationScheme> schemes)
    {
        Match match = Ports().Match(word);
        if (word.StartsWith("unix", StringComparison.OrdinalIgnoreCase) || !match.Success)
        {
            return new PortRange(word, [EndpointWord.Parse(word, schemes)]);
        }

        string host = match.Groups["host"].Value;
        Endpoint first = Endpoint.Parse(host + match.Groups["first"].Value, schemes);
        Endpoint last = Endpoint.Parse(host + match.Groups["last"].Value, schemes);
        return first.Port <= last.Port
            ? new PortRange(word, [.. Enumerable.Range(first.Port, last.Port - first.Port + 1).Select(port => At(host, port, schemes))])
            : throw new FormatException(
                $"\"{PrintableText.Escape(word)}\" has no port in it: its last, {last.Port}, comes before its first, {first.Port}");
    }

    private static Endpoint At(string host, int port, IReadOnlyList<ApplicationScheme> schemes) =>
        Endpoint.Parse(string.Create(CultureInfo.InvariantCulture, $"{host}{port}"), schemes);

    [GeneratedRegex(@"^(?<host>.*:)(?<first>[0-9]{1,5})-(?<last>[0-9]{1,5})$", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex Ports();
}
