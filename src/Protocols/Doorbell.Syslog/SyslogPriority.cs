using System.Globalization;

namespace Doorbell.Syslog;

/// <summary>Which part of a system a message is from, and how bad it is (RFC 5424 section 6.2.1).</summary>
/// <param name="Facility">0 to 23.</param>
/// <param name="Severity">0 to 7; 0 is the worst.</param>
public readonly record struct SyslogPriority(int Facility, int Severity)
{
    private const int Severities = 8;
    private const int MaxNumber = 191;

    private static readonly string[] _facilities =
    [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert",
        "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];

    private static readonly string[] _severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

    /// <summary>What a message without one has: user.notice (RFC 3164 section 4.3.3).</summary>
    public static SyslogPriority Default { get; } = new(1, 5);

    /// <summary>As it stands in a message: 0 to 191.</summary>
    public int Number => (Facility * Severities) + Severity;

    /// <summary>As in <c>user</c>.</summary>
    public string FacilityName => _facilities[Facility];

    /// <summary>As in <c>notice</c>.</summary>
    public string SeverityName => _severities[Severity];

    /// <summary>The priority of a number.</summary>
    /// <param name="number">As it stands in a message.</param>
    /// <returns>Null if there is none.</returns>
    public static SyslogPriority? Of(int number) =>
        number is >= 0 and <= MaxNumber ? new SyslogPriority(number / Severities, number % Severities) : null;

    /// <summary>
    /// Reads what <see cref="ToString"/> writes; also a number, a severity alone, and the old names error, panic and warn.
    /// </summary>
    /// <param name="text">As in <c>local0.err</c>.</param>
    /// <returns>Null if it is none.</returns>
    public static SyslogPriority? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return Of(number);
        }

        string[] parts = text.Split('.');
        int facility = parts.Length == 2 ? Array.IndexOf(_facilities, parts[0]) : Default.Facility;
        string name = parts[^1] switch { "error" => "err", "panic" => "emerg", "warn" => "warning", var other => other };
        int severity = Array.IndexOf(_severities, name);
        return parts.Length <= 2 && facility >= 0 && severity >= 0 ? new SyslogPriority(facility, severity) : null;
    }

    /// <summary>As in <c>user.notice</c>.</summary>
    public override string ToString() => $"{FacilityName}.{SeverityName}";
}
