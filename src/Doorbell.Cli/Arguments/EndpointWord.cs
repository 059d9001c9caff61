namespace Doorbell.Cli.Arguments;

/// <summary>Tells an endpoint from the other words of a command line.</summary>
internal static class EndpointWord
{
    /// <summary>
    /// Whether a word is meant as an endpoint rather than as a service's name or a text: it has a scheme, is a number, or ends in a
    /// colon and a number.
    /// </summary>
    public static bool IsMeant(string word) =>
        word.Contains("://", StringComparison.Ordinal)
        || word.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)
        || word.StartsWith("unix+dgram:", StringComparison.OrdinalIgnoreCase)
        || (!word.Any(char.IsWhiteSpace) && word[(word.LastIndexOf(':') + 1)..] is { Length: > 0 } port && port.All(char.IsAsciiDigit));
}
