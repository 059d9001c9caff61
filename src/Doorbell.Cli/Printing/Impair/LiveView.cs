using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Doorbell.Cli.Input;
using Doorbell.Lab.Impair.Control;
using Doorbell.Lab.Impair.Proxies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Doorbell.Cli.Printing.Impair;

/// <summary>What passes now, at a terminal: a table that is drawn again twice a second, and below it the line being typed.</summary>
internal sealed class LiveView(FaultControl control)
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(500);

    private readonly WayRates _up = new();
    private readonly WayRates _down = new();
    private readonly LineEditor _editor = new();
    private volatile string _said = "";

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>
    /// Whether standard output is a terminal that can be drawn on, and this process is in its foreground. Who is not has no terminal to
    /// draw on: it shows what another program writes.
    /// </summary>
    public static bool IsPossible => !Console.IsOutputRedirected && Keyboard.IsInForeground && AnsiConsole.Profile.Capabilities.Ansi;

    /// <summary>Shows a line; any thread may.</summary>
    public void Say(string line) => _said = line;

    /// <summary>Draws until it is over.</summary>
    /// <param name="proxy">What is shown.</param>
    /// <param name="keys">What is typed; null if nobody can.</param>
    /// <param name="over">Ends it.</param>
    public async Task RunAsync(ImpairProxy proxy, ChannelReader<ConsoleKeyInfo>? keys, CancellationToken over)
    {
        try
        {
            await AnsiConsole.Live(new Text("")).StartAsync(live => DrawUntilAsync(live, proxy, keys, over));
        }
        finally
        {
            Terminal.EndApplicationMode();
        }
    }

    private async Task DrawUntilAsync(
        LiveDisplayContext live, ImpairProxy proxy, ChannelReader<ConsoleKeyInfo>? keys, CancellationToken over)
    {
        TimeSpan next = TimeSpan.Zero;
        while (!over.IsCancellationRequested)
        {
            TimeSpan now = Now;
            if (now >= next)
            {
                next = now + _every;
                _up.Add(proxy.ReadUp(), now);
                _down.Add(proxy.ReadDown(), now);
            }

            live.UpdateTarget(Draw(proxy, keys is not null));
            await WaitAsync(keys, next - Now, over);
        }
    }

    /// <summary>Until it is time to draw, or something was typed.</summary>
    private async Task WaitAsync(ChannelReader<ConsoleKeyInfo>? keys, TimeSpan wait, CancellationToken over)
    {
        Task time = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, over);
        await Task.WhenAny(time, keys?.WaitToReadAsync(over).AsTask() ?? time);
        while (keys is not null && keys.TryRead(out ConsoleKeyInfo key))
        {
            if (_editor.Press(key) is { } line)
            {
                _said = control.Answer(line);
            }
        }
    }

    private Rows Draw(ImpairProxy proxy, bool isTyped)
    {
        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumns("", "in/s", "out/s", "dropped/s", "dropped", $"{proxy.Unit} out, the last 20 seconds");
        foreach (TableColumn column in table.Columns.Skip(1).Take(4))
        {
            column.Alignment = Justify.Right;
        }

        AddRow(table, _up);
        AddRow(table, _down);
        List<IRenderable> lines = [table, new Text(control.Show())];
        if (_said.Length > 0)
        {
            lines.Add(new Text(_said));
        }

        if (isTyped)
        {
            lines.Add(new Text($"> {_editor.Typed}"));
        }

        return new Rows(lines);
    }

    private static void AddRow(Table table, WayRates way) => table.AddRow(
        new Text(way.Last?.Name ?? ""), Number(way.Received), Number(way.Forwarded), Number(way.Dropped), Number(way.Last?.Dropped ?? 0),
        new Text(way.History));

    private static Text Number(double number) => new(string.Create(CultureInfo.InvariantCulture, $"{number:#,0}"));
}
