using System.Globalization;

namespace Doorbell;

/// <summary>Of all TCP listeners of a network namespace, since it was made: also <c>nstat -az 'TcpExtListen*'</c>.</summary>
/// <param name="ListenOverflows">Packets of new connections, SYNs or ACKs, that found a full backlog.</param>
/// <param name="ListenDrops">Packets of new connections dropped for any reason, a full backlog included.</param>
public sealed record ListenCounters(long ListenOverflows, long ListenDrops)
{
    /// <summary>Reads them from <c>/proc/net/netstat</c> (proc(5)): this process's network namespace.</summary>
    /// <returns>Null where there is no such file, as off Linux.</returns>
    public static ListenCounters? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? Parse(File.ReadAllLines("/proc/net/netstat")) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A line of names is followed by a line of their values; both begin with the group's name.</summary>
    internal static ListenCounters? Parse(string[] lines)
    {
        int names = Array.FindIndex(lines, static line => line.StartsWith("TcpExt:", StringComparison.Ordinal));
        if (names < 0 || names + 1 >= lines.Length)
        {
            return null;
        }

        string[] values = lines[names + 1].Split(' ');
        string[] columns = lines[names].Split(' ');
        return Value(nameof(ListenOverflows)) is { } overflows && Value(nameof(ListenDrops)) is { } drops
            ? new ListenCounters(overflows, drops)
            : null;

        long? Value(string name)
        {
            int column = Array.IndexOf(columns, name);
            bool known = column >= 0 && column < values.Length;
            return known && long.TryParse(values[column], CultureInfo.InvariantCulture, out long value) ? value : null;
        }
    }
}
