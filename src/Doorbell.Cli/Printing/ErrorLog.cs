using System.Globalization;
using System.Text;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Printing;

/// <summary>
/// The log on standard error. An entry is one line: the time, how bad it is, who says it, and what, in the command's words. Nothing in it
/// drives a terminal. A lane that logs waits for nobody: <see cref="LineWriter"/> has the line written, or drops and counts it.
/// </summary>
internal sealed class ErrorLog : ILoggerProvider
{
    private const string Reset = "\u001b[39m\u001b[22m\u001b[49m";

    private static readonly bool _isColoured = !Console.IsErrorRedirected;

    /// <summary>Warnings and errors, or all; nothing where standard error is the client's.</summary>
    public static ILoggerFactory Open(bool verbose) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(
            PassedDescriptor.ErrorIsConnection ? LogLevel.None : verbose ? LogLevel.Debug : LogLevel.Warning);
        logging.AddProvider(new ErrorLog());
    });

    public ILogger CreateLogger(string categoryName) => new Category(categoryName);

    public void Dispose()
    {
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

    private sealed class Category(string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // A message names its fault; the exception that goes with it is for programs, and its stack would be no line.
            string line = Printable(OptionNames.InWordsOfTheCommand(formatter(state, exception)).ReplaceLineEndings(" "));
            string time = DateTimeOffset.Now.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            string number = eventId.Id.ToString(CultureInfo.InvariantCulture);
            LineWriter.Error.Post($"{time} {Level(logLevel)}: {name}[{number}] {line}");
        }
    }
}
