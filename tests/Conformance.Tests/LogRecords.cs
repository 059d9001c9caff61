using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>Keeps what is logged: the lines, what stands in them by name, and the exceptions.</summary>
internal sealed class LogRecords(LogLevel least = LogLevel.Information) : ILoggerFactory, ILogger
{
    private readonly List<LogRecord> _records = [];

    public IReadOnlyList<LogRecord> All
    {
        get
        {
            lock (_records)
            {
                return [.. _records];
            }
        }
    }

    public IReadOnlyList<string> Lines => [.. All.Select(static record => record.Line)];

    public ILogger CreateLogger(string categoryName) => this;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Dictionary<string, object?> named = state is IEnumerable<KeyValuePair<string, object?>> pairs ? new(pairs) : [];
        lock (_records)
        {
            _records.Add(new LogRecord(logLevel, formatter(state, exception), named, exception));
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}

/// <summary>One line of a log.</summary>
internal sealed record LogRecord(LogLevel Level, string Line, IReadOnlyDictionary<string, object?> Named, Exception? Exception);
