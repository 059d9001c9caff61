using System.CommandLine;
using System.Globalization;

namespace Doorbell.Cli.Arguments;

/// <summary>Where a message ends in a stream, as the option <c>--framing</c> says it.</summary>
internal static class FramingWord
{
    /// <summary>A datagram has no more.</summary>
    private const int MaxFixed = 65_527;

    private static readonly string[] _words = ["lines", "nul", "length:1", "length:2", "length:4"];

    /// <summary>The option.</summary>
    public static Option<Framing?> Option() => new("--framing")
    {
        Description = "Where a datagram ends in a stream: lines, nul, length:1, length:2 or length:4 (a length of so many bytes stands "
            + "before it), or fixed:N (each has N bytes)",
        HelpName = "FRAMING",
        CompletionSources = { _words },
        CustomParser = static result =>
        {
            string word = result.Tokens[0].Value;
            if (Read(word) is { } framing)
            {
                return framing;
            }

            result.AddError(
                $"--framing takes lines, nul, length:1, length:2, length:4 or fixed:N, not \"{PrintableText.Escape(word)}\"");
            return null;
        },
    };

    private static Framing? Read(string word) => word switch
    {
        "lines" => Framing.Line,
        "nul" => Framing.Nul,
        "length:1" => Framing.LengthPrefix(1),
        "length:2" => Framing.LengthPrefix(2),
        "length:4" => Framing.LengthPrefix(4),
        _ when word.StartsWith("fixed:", StringComparison.Ordinal)
            && int.TryParse(word.AsSpan("fixed:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
            && bytes is > 0 and <= MaxFixed => Framing.FixedLength(bytes),
        _ => null,
    };
}
