using System.Diagnostics;
using System.Globalization;
using Doorbell.Files;

namespace Doorbell.Cli.Printing;

/// <summary>
/// How far files are: at a terminal on standard error a line that is written over, a few times a second; and for each whole file a line on
/// standard output.
/// </summary>
/// <param name="verb">What became of them, as in <c>sent</c>.</param>
/// <param name="json">Whether programs read it.</param>
internal sealed class TransferProgress(string verb, bool json)
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(200);

    private readonly bool _isShown = !Console.IsErrorRedirected;
    private readonly Lock _lock = new();
    private long _shownAt;
    private string _name = "";
    private long _began;
    private int _width;

    /// <summary>Whether all that was printed is written; standard error says why not.</summary>
    public static bool IsPrinted => LineWriter.Output.Finish() == 0;

    public void Tell(FileProgress progress)
    {
        lock (_lock)
        {
            if (_name != progress.Name)
            {
                (_name, _began) = (progress.Name, Stopwatch.GetTimestamp());
            }

            if (progress.Sha256 is not null)
            {
                Show("");
                TellWhole(progress, progress.Sha256);
            }
            else if (_isShown && Stopwatch.GetElapsedTime(_shownAt) >= _every)
            {
                _shownAt = Stopwatch.GetTimestamp();
                double rate = (progress.Done - progress.From) / Math.Max(Stopwatch.GetElapsedTime(_began).TotalSeconds, 0.001) / 1e6;
                Show(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{PrintableText.Escape(progress.Name)}: {progress.Done * 100.0 / progress.Size:0} %, {rate:0.0} MB/s"));
            }
        }
    }

    /// <summary>Nothing more comes: the line makes room for what is said next.</summary>
    public void End()
    {
        lock (_lock)
        {
            Show("");
        }
    }

    private void TellWhole(FileProgress progress, string sha256) => JsonLine.Print(
        json,
        $"{verb} {PrintableText.Escape(progress.Name)}, {progress.Size} bytes"
            + (progress.From > 0 ? $", {progress.From} of them before" : "") + $", sha256 {sha256}",
        writer =>
        {
            writer.WriteString("event", verb);
            JsonLine.WriteText(writer, "name", progress.Name);
            writer.WriteNumber("bytes", progress.Size);
            writer.WriteNumber("before", progress.From);
            writer.WriteString("sha256", sha256);
        });

    /// <summary>Writes over what stands there.</summary>
    private void Show(string text)
    {
        if (_isShown && (text.Length > 0 || _width > 0))
        {
            Console.Error.Write($"\r{text.PadRight(_width)}{(text.Length == 0 ? "\r" : "")}");
            _width = text.Length;
        }
    }
}
