namespace Doorbell.Syslog;

/// <summary>The form of a message.</summary>
public enum SyslogFormat
{
    /// <summary>A text alone, perhaps behind a priority: all else could not be understood.</summary>
    Text,

    /// <summary>The old form of BSD, as RFC 3164 describes it.</summary>
    Rfc3164,

    /// <summary>The form with structured data.</summary>
    Rfc5424,
}

/// <summary>One message. What it does not say is null. Bytes that are not UTF-8 are as <see cref="SystemText"/> has them.</summary>
public sealed record SyslogMessage
{
    /// <summary>The form in which it came, or is written.</summary>
    public SyslogFormat Format { get; init; }

    /// <summary>Where from and how bad.</summary>
    public SyslogPriority Priority { get; init; } = SyslogPriority.Default;

    /// <summary>When it was written, as it came: <c>2026-11-29T12:00:00Z</c>, or <c>Nov 29 12:00:00</c>.</summary>
    public string? Timestamp { get; init; }

    /// <summary>The machine that it is from.</summary>
    public string? Host { get; init; }

    /// <summary>The program: APP-NAME, or the name in the old TAG.</summary>
    public string? Application { get; init; }

    /// <summary>Its process: PROCID, or what stands in brackets behind the old TAG.</summary>
    public string? Process { get; init; }

    /// <summary>The kind of message: MSGID.</summary>
    public string? MessageId { get; init; }

    /// <summary>Structured data, in its order.</summary>
    public IReadOnlyList<SyslogElement> Data { get; init; } = [];

    /// <summary>What it says.</summary>
    public string Text { get; init; } = "";

    /// <summary>Whether its sender's stream ended before as many bytes had come as it had said (octet counting, RFC 6587).</summary>
    public bool IsCut { get; init; }
}

/// <summary>An element of structured data (RFC 5424 section 6.3).</summary>
/// <param name="Id">As in <c>origin</c> or <c>example@32473</c>.</param>
/// <param name="Parameters">Names and values, in their order; a name may be there twice.</param>
public sealed record SyslogElement(string Id, IReadOnlyList<(string Name, string Value)> Parameters);
