using System.Globalization;
using System.Net.Sockets;

namespace Doorbell.SocketOptions;

/// <summary>What the kernel made of a socket option that was set.</summary>
public sealed class SocketOptionOutcome
{
    internal SocketOptionOutcome(SocketOptionSetting setting, string target, string? actual)
    {
        Setting = setting;
        Target = target;
        Actual = actual;
    }

    /// <summary>What was asked.</summary>
    public SocketOptionSetting Setting { get; }

    /// <summary>The endpoint of the socket.</summary>
    public string Target { get; }

    /// <summary>What the socket says now; null if the option can't be read.</summary>
    public string? Actual { get; }

    /// <summary>What the socket said right after the call, if it says another thing now.</summary>
    private string? Before { get; init; }

    /// <summary>Whether the socket says anything but what was asked.</summary>
    public bool Differs => Actual is not null && Actual != Setting.Asked;

    /// <summary>Reads it once more: an option or a call that came later may have changed it.</summary>
    internal SocketOptionOutcome ReadAgain(Socket socket)
    {
        string? now = Setting.ReadBack(socket);
        return now == Actual ? this : new SocketOptionOutcome(Setting, Target, now) { Before = Actual };
    }

    /// <summary>One sentence: the option, what it is now, and why that is not what was asked, if it is not.</summary>
    public override string ToString()
    {
        string unit = Setting.Option.Unit.Length == 0 ? "" : " " + Setting.Option.Unit;
        return Actual is null ? $"{Setting.Option} was set to {Setting.Asked}{unit}; the kernel does not let it be read"
            : !Differs ? $"{Setting.Option} is {Actual}{unit}, as asked"
            : $"{Setting.Option} is {Actual}{unit} (asked: {Setting.Asked}): {Why()}";
    }

    private string Why() => Setting.Option.Name switch
    {
        _ when Before is { } before => $"it was {before} until an option or a call that came later changed it",
        "SO_RCVBUF" => WhyBuffer("net.core.rmem_max", "SO_RCVBUFFORCE"),
        "SO_SNDBUF" => WhyBuffer("net.core.wmem_max", "SO_SNDBUFFORCE"),
        "SO_RCVBUFFORCE" or "SO_SNDBUFFORCE" => WhyDoubled(long.MaxValue),
        _ => Setting.Option.Change is { } change ? $"{change} ({Setting.Option.Reference})" : "the kernel limits it",
    };

    /// <summary>socket(7): the kernel doubles the value, bounds it by a sysctl before that, and has a least value.</summary>
    private string WhyBuffer(string sysctl, string force)
    {
        string file = $"/proc/sys/{sysctl.Replace('.', '/')}";
        long most = File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out long limit)
            ? limit
            : long.MaxValue;
        return long.Parse(Setting.Asked, CultureInfo.InvariantCulture) <= most
            ? WhyDoubled(most)
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{sysctl} allows {most}, and the kernel doubles that for its own bookkeeping (socket(7)); to have more, raise it "
                    + $"(sysctl -w {sysctl}=BYTES) or, as root, set {force}");
    }

    private string WhyDoubled(long most)
    {
        long asked = Math.Min(long.Parse(Setting.Asked, CultureInfo.InvariantCulture), most);
        return long.Parse(Actual!, CultureInfo.InvariantCulture) == 2 * asked
            ? "the kernel doubles it for its own bookkeeping (socket(7))"
            : "the kernel doubles it for its own bookkeeping, and this is the least or the most that it allows (socket(7))";
    }
}
