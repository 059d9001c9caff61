using System.Text;
using System.Text.Json;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Printing;

/// <summary>Prints socket options: aligned text that fits the terminal, or JSON.</summary>
internal sealed class OptionsPrinter(TextWriter output, int width)
{
    private const int Indent = 4;
    private const int LeastWidth = 40;

    private readonly int _width = Math.Max(width - 1, LeastWidth);

    /// <summary>Grouped by level: name, value, unit and range, when; then what it does; then its names and where it is written.</summary>
    public void Print(string kind, IReadOnlyList<SocketOptionReading> readings)
    {
        SocketOptionReading[] useful = [.. readings.Where(static reading => reading.HasEffect)];
        int name = useful.Max(static reading => reading.Option.Name.Length);
        int value = useful.Max(static reading => Value(reading).Length);
        foreach (IGrouping<string, SocketOptionReading> level in useful.GroupBy(static reading => reading.Option.LevelName))
        {
            output.WriteLine($"{kind}, {level.Key}");
            foreach (SocketOptionReading reading in level)
            {
                SocketOption option = reading.Option;
                string range = option.Range.Length == 0 ? "" : $"[{option.Range}] ";
                Wrap($"  {option.Name.PadRight(name)}  {Value(reading).PadRight(value)}  {range}{When(option)}");
                Wrap($"{new string(' ', Indent)}{option.Description}");
                Wrap($"{new string(' ', Indent)}{Names(option)}{option.Reference}");
            }

            output.WriteLine();
        }

        string[] useless = [.. readings.Where(static reading => !reading.HasEffect).Select(static reading => reading.Option.Name)];
        if (useless.Length > 0)
        {
            Wrap($"known to the kernel for {kind}, without effect there: {string.Join(", ", useless)}");
            output.WriteLine();
        }
    }

    /// <summary>One object a line.</summary>
    public void PrintJson(string kind, IReadOnlyList<SocketOptionReading> readings)
    {
        foreach (SocketOptionReading reading in readings)
        {
            SocketOption option = reading.Option;
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteString("socket", kind);
                writer.WriteString("level", option.LevelName);
                writer.WriteNumber("levelNumber", option.Level);
                writer.WriteString("name", option.Name);
                writer.WriteNumber("number", option.Number);
                writer.WriteString("value", reading.Value);
                writer.WriteString("unreadable", reading.ErrnoName);
                writer.WriteString("kind", JsonNamingPolicy.KebabCaseLower.ConvertName(option.Kind.ToString()));
                writer.WriteString("unit", option.Unit);
                writer.WriteString("range", option.Range);
                writer.WriteString("when", When(option));
                writer.WriteBoolean("hasEffect", reading.HasEffect);
                writer.WriteString("what", option.Description);
                writer.WriteString("c", option.Name);
                writer.WriteString("dotnet", option.DotNetName);
                writer.WriteString("java", option.JavaName);
                writer.WriteString("reference", option.Reference);
            }));
        }
    }

    private static string Value(SocketOptionReading reading) => reading.Value is { } value
        ? $"{(value.Length == 0 ? "\"\"" : value)}{(reading.Option.Unit.Length == 0 || value == "off" ? "" : " " + reading.Option.Unit)}"
        : reading.ErrnoName!;

    private static string When(SocketOption option) => option.IsReadOnly ? "read only" : option.When switch
    {
        SocketOptionTime.BeforeBind => "before bind",
        SocketOptionTime.Listening => "on a listener",
        SocketOptionTime.BeforeConnect => "before connect",
        SocketOptionTime.Connected => "once connected",
        _ => "any time",
    };

    private static string Names(SocketOption option) =>
        $"C {option.Name}; {(option.DotNetName is { } dotnet ? $".NET {dotnet}; " : "")}"
            + $"{(option.JavaName is { } java ? $"Java {java}; " : "")}";

    /// <summary>Breaks a line between words; what follows is indented further.</summary>
    private void Wrap(string line)
    {
        string indent = new(' ', Indent + 2);
        StringBuilder rest = new(line);
        while (rest.Length > _width)
        {
            int end = rest.ToString(0, _width + 1).LastIndexOf(' ');
            if (end <= indent.Length)
            {
                break;
            }

            output.WriteLine(rest.ToString(0, end).TrimEnd());
            rest.Remove(0, end + 1).Insert(0, indent);
        }

        output.WriteLine(rest.ToString().TrimEnd());
    }
}
