using Microsoft.Extensions.Logging;

namespace Doorbell.Lab.Impair.Proxies;

/// <summary>
/// Tells whoever runs a proxy what its server warns of, such as that the upstream refuses: each text once, and at most so many, since a
/// client that comes again and again makes the same happen each time.
/// </summary>
/// <param name="report">Told in one line; null for nobody.</param>
internal sealed class ReportLog(Action<string>? report) : ILoggerFactory, ILogger
{
    private const int MaxTexts = 64;

    private readonly HashSet<string> _said = [];
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("what is reported goes to one place");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => report is not null && logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string text = formatter(state, exception);
        bool isNew;
        lock (_lock)
        {
            isNew = _said.Count < MaxTexts && _said.Add(text);
        }

        if (isNew)
        {
            report!(text);
        }
    }

    public void Dispose()
    {
        // There is nothing to give back: it is used for as long as the server runs.
    }
}
