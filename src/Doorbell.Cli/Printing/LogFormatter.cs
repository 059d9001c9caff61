using System.Globalization;
using System.Text;
using Doorbell.Cli.Arguments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Doorbell.Cli.Printing;

/// <summary>
/// A log entry as one line: the time, how bad it is, who says it, and what, in the command's words. Nothing in it drives a terminal.
/// </summary>
internal sealed class LogFormatter() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "doorbell";

    private const string Reset = "\u001b[39m\u001b[22m\u001b[49m";

    private static readonly bool _isColoured = !Console.IsErrorRedirected;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        // A message names its fault; the exception that goes with it is for programs, and its stack would be no line.
        string message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        string line = OptionNames.InWordsOfTheCommand(message).ReplaceLineEndings(" ");
        string time = DateTimeOffset.Now.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        string level = Level(logEntry.LogLevel);
        textWriter.WriteLine(
            $"{time} {level}: {logEntry.Category}[{logEntry.EventId.Id.ToString(CultureInfo.InvariantCulture)}] {Printable(line)}");
    }

    /// <summary>What peers sent is escaped already, so a backslash stays as it is.</summary>
    private static string Printable(string line) => PrintableText.IsPrintable(line)
        ? line
        : PrintableText.EscapeKeepingLines(Encoding.UTF8.GetBytes(line));

    private static string Level(LogLevel level)
    {
        (string name, string colours) = level switch
        {
            LogLevel.Trace => ("trce", "\u001b[40m\u001b[37m"),
            LogLevel.Debug => ("dbug", "\u001b[40m\u001b[37m"),
            LogLevel.Information => ("info", "\u001b[40m\u001b[32m"),
            LogLevel.Warning => ("warn", "\u001b[40m\u001b[1m\u001b[33m"),
            LogLevel.Error => ("fail", "\u001b[41m\u001b[30m"),
            _ => ("crit", "\u001b[41m\u001b[1m\u001b[37m"),
        };
        return _isColoured ? $"{colours}{name}{Reset}" : name;
    }
}
