using System.Globalization;
using System.Text;
using System.Text.Json;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Printing;

/// <summary>
/// The log on standard error. An entry is one line: the date and time in UTC (ISO 8601), how bad it is, who says it, and what, in the
/// command's words; or the same as a JSON object. Nothing in it but its colours drives a terminal. A lane that logs waits for nobody:
/// <see cref="LineWriter"/> has the line written, or drops and counts it.
/// </summary>
internal sealed class ErrorLog : ILoggerProvider
{
    /// <summary>How the logging library calls the text with the places of the values.</summary>
    private const string MessageTemplate = "{OriginalFormat}";

    private const string Reset = "\u001b[39m\u001b[22m\u001b[49m";

    /// <summary>At a terminal alone, and not where NO_COLOR is set (no-color.org).</summary>
    private static readonly bool _isColoured =
        !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    private readonly bool _json;

    private ErrorLog(bool json) => _json = json;

    /// <summary>
    /// Warnings and errors, or all; as lines for people, or as a JSON object each. Nothing where standard error is the client's.
    /// </summary>
    public static ILoggerFactory Open(bool verbose, bool json) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(
            PassedDescriptor.ErrorIsConnection ? LogLevel.None : verbose ? LogLevel.Debug : LogLevel.Warning);
        logging.AddProvider(new ErrorLog(json));
    });

    public ILogger CreateLogger(string categoryName) => new Category(categoryName, _json);

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

    private sealed class Category(string name, bool json) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // A message names its fault; the exception that goes with it is for programs, and its stack would be no line.
            string line = Printable(OptionNames.InWordsOfTheCommand(formatter(state, exception)).ReplaceLineEndings(" "));
            string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            string number = eventId.Id.ToString(CultureInfo.InvariantCulture);
            LineWriter.Error.Post(json
                ? JsonLine.Of(writer => Write(writer, time, logLevel, eventId, line, state))
                : $"{time} {Level(logLevel)}: {name}[{number}] {line}");
        }

        private void Write(Utf8JsonWriter writer, string time, LogLevel level, EventId eventId, string line, object? state)
        {
            writer.WriteString("time", time);
            writer.WriteString("level", JsonNamingPolicy.CamelCase.ConvertName(level.ToString()));
            writer.WriteString("logger", name);
            writer.WriteNumber("event", eventId.Id);
            writer.WriteString("name", JsonNamingPolicy.CamelCase.ConvertName(eventId.Name ?? ""));
            writer.WriteString("message", line);
            foreach ((string key, object? value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
            {
                if (key != MessageTemplate)
                {
                    WriteValue(writer, JsonNamingPolicy.CamelCase.ConvertName(key), value);
                }
            }
        }

        private static void WriteValue(Utf8JsonWriter writer, string key, object? value)
        {
            switch (value)
            {
                case int or long:
                    writer.WriteNumber(key, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number:
                    writer.WriteNumber(key, number);
                    break;
                case Enum reason:
                    writer.WriteString(key, JsonNamingPolicy.CamelCase.ConvertName(reason.ToString()));
                    break;
                default:
                    writer.WriteString(key, value is null ? null : Printable($"{value}"));
                    break;
            }
        }
    }
}
