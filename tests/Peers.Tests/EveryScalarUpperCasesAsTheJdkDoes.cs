using System.Buffers;
using System.Globalization;
using System.Text;

namespace Doorbell.Tests;

/// <summary>The JDK is the reference: toUpperCase(Locale.ROOT) of every scalar value.</summary>
public sealed class EveryScalarUpperCasesAsTheJdkDoes
{
    /// <summary>Upper cases that came with a Unicode version younger than JDK 17's (13.0). A JDK that knows them must agree.</summary>
    private static readonly (int Scalar, string Version)[] _younger =
    [
        .. Range(0x2c5f, 0x2c5f, "14.0"),
        .. Range(0xa7c1, 0xa7c1, "14.0"),
        .. Range(0xa7d1, 0xa7d1, "14.0"),
        .. Range(0xa7d7, 0xa7d7, "14.0"),
        .. Range(0xa7d9, 0xa7d9, "14.0"),
        .. Range(0x10597, 0x105a1, "14.0"),
        .. Range(0x105a3, 0x105b1, "14.0"),
        .. Range(0x105b3, 0x105b9, "14.0"),
        .. Range(0x105bb, 0x105bc, "14.0"),
        .. Range(0x019b, 0x019b, "16.0"),
        .. Range(0x0264, 0x0264, "16.0"),
        .. Range(0x1c8a, 0x1c8a, "16.0"),
        .. Range(0xa7cd, 0xa7cd, "16.0"),
        .. Range(0xa7db, 0xa7db, "16.0"),
        .. Range(0x10d70, 0x10d85, "16.0"),
        .. Range(0xa7cf, 0xa7cf, "17.0"),
        .. Range(0xa7d3, 0xa7d3, "17.0"),
        .. Range(0xa7d5, 0xa7d5, "17.0"),
        .. Range(0x16ebb, 0x16ed3, "17.0"),
    ];

    [Fact]
    public void Every_scalar()
    {
        Ended jdk = Program.Run("java", [Path.Combine(Repository.Peers, "java", "UpperCaseOfEveryScalar.java")]);
        Assert.Equal(0, jdk.ExitCode);
        string[] lines = jdk.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Dictionary<int, string> reference = lines[1..].Select(static line => line.Split(' ').Select(ParseHex).ToArray())
            .ToDictionary(static numbers => numbers[0], static numbers => string.Concat(numbers[1..].Select(char.ConvertFromUtf32)));
        Assert.True(reference.Count > 1300, "a JDK knows more than 1,300 letters with an upper case");
        HashSet<int> younger = [.. _younger.Select(static entry => entry.Scalar)];
        List<string> differences = [];
        int notYetKnown = 0;
        for (int c = 0; c <= 0x10ffff; c++)
        {
            if (!Rune.IsValid(c))
            {
                continue;
            }

            string self = char.ConvertFromUtf32(c);
            string expected = reference.GetValueOrDefault(c, self);
            string actual = Upper(self);
            if (actual != expected && younger.Contains(c) && expected == self)
            {
                notYetKnown++;
            }
            else if (actual != expected)
            {
                differences.Add($"U+{c:X4}: JDK {lines[0]} {Show(expected)}, ours {Show(actual)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"JDK {lines[0]}: {reference.Count} mappings, {notYetKnown} of ours younger than it");
        Assert.Empty(differences);
    }

    private static IEnumerable<(int Scalar, string Version)> Range(int first, int last, string version) =>
        Enumerable.Range(first, last - first + 1).Select(scalar => (scalar, version));

    private static int ParseHex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string Show(string text) => string.Join(' ', text.EnumerateRunes().Select(static rune => $"{rune.Value:X4}"));

    private static string Upper(string text)
    {
        ArrayBufferWriter<byte> output = new();
        UpperCase.Unicode(Encoding.UTF8.GetBytes(text), output, isFinal: true);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
