using System.Globalization;
using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>How a serial line carries a byte, as in <c>115200,8N1</c>.</summary>
/// <param name="Speed">Bits a second; null for the speed that the line has.</param>
/// <param name="DataBits">5 to 8.</param>
/// <param name="Parity">N, E or O.</param>
/// <param name="StopBits">1 or 2.</param>
internal readonly record struct SerialForm(uint? Speed, int DataBits, char Parity, int StopBits)
{
    private const uint MaxSpeed = 100_000_000;

    /// <summary>Reads what stands behind the question mark.</summary>
    /// <exception cref="FormatException">It is none; the message says what would be right.</exception>
    public static SerialForm Parse(string text)
    {
        SerialForm form = new(Speed: null, DataBits: 8, Parity: 'N', StopBits: 1);
        string[] parts = text.Length == 0 ? [] : text.Split(',');
        foreach (string part in parts)
        {
            if (part is [>= '5' and <= '8' and var bits, 'N' or 'E' or 'O' or 'n' or 'e' or 'o', '1' or '2'])
            {
                form = form with { DataBits = bits - '0', Parity = char.ToUpperInvariant(part[1]), StopBits = part[2] - '0' };
            }
            else if (uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out uint speed) && speed is > 0 and <= MaxSpeed)
            {
                form = form with { Speed = speed };
            }
            else
            {
                throw new FormatException(
                    $"a serial line takes its speed and perhaps its form, as in serial:///dev/ttyUSB0?115200 or ?9600,7E1, not "
                        + $"\"{PrintableText.Escape(part)}\"");
            }
        }

        return form;
    }

    /// <summary>Gives it to settings.</summary>
    public TerminalSettings Apply(TerminalSettings raw)
    {
        TerminalSettings line = raw.With(DataBits, Parity, StopBits);
        return Speed is { } speed ? line.At(speed) : line;
    }
}
