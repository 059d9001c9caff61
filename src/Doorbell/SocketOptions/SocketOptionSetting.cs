using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;

namespace Doorbell.SocketOptions;

/// <summary>A socket option and the value that it is to have, as in <c>SO_RCVBUF=1m</c>.</summary>
/// <remarks>Immutable: any thread may use it, for any number of sockets.</remarks>
public sealed class SocketOptionSetting
{
    private readonly byte[] _value;

    private SocketOptionSetting(SocketOption option, byte[] value, string asked)
    {
        Option = option;
        _value = value;
        Asked = asked;
    }

    /// <summary>Which.</summary>
    public SocketOption Option { get; }

    /// <summary>The value asked for, in the form that reading it back gives: <c>1048576</c> for <c>1m</c>.</summary>
    public string Asked { get; }

    /// <summary>Reads NAME=VALUE.</summary>
    /// <param name="text">
    /// As in <c>TCP_NODELAY=1</c> (or on), <c>SO_RCVBUF=1m</c> (k, m and g are powers of 1,024), <c>SO_LINGER=on,0</c>,
    /// <c>SO_RCVTIMEO=0.5</c> (or 500ms), <c>TCP_CONGESTION=reno</c>. A number may be hexadecimal, as in <c>SO_MARK=0x10</c>.
    /// </param>
    /// <exception cref="FormatException">
    /// There is no such option, it can't be set, or it takes no such value; the message is one line that says what would be right.
    /// </exception>
    public static SocketOptionSetting Parse(string text)
    {
        int equals = text.IndexOf('=');
        SocketOption option = SocketOptionCatalogue.Find(equals < 0 ? text : text[..equals]);
        if (option.IsReadOnly)
        {
            throw new FormatException($"{option} can only be read: SocketOptionCatalogue.Read shows its value");
        }

        string example = $"{option}={Example(option)}";
        if (equals < 0)
        {
            throw new FormatException($"the value of {option} is missing, as in {example}");
        }

        byte[] value = SocketOptionValue.Parse(option, text[(equals + 1)..]) ?? throw new FormatException(
            $"{option} takes {option.Range}{Unit(option)}, not \"{PrintableText.Escape(text[(equals + 1)..])}\": try {example}");
        return new SocketOptionSetting(option, value, SocketOptionValue.Format(option, value));
    }

    /// <summary>Reads NAME=VALUE.</summary>
    /// <param name="text">As <see cref="Parse"/> takes it.</param>
    /// <param name="setting">The setting, if it is one.</param>
    /// <param name="error">Otherwise one line that says what is wrong and what would be right.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out SocketOptionSetting? setting, [NotNullWhen(false)] out string? error)
    {
        try
        {
            (setting, error) = (Parse(text), null);
            return true;
        }
        catch (FormatException wrong)
        {
            (setting, error) = (null, wrong.Message);
            return false;
        }
    }

    /// <summary>Turns a flag on or off.</summary>
    /// <param name="name">As in <c>TCP_NODELAY</c>.</param>
    /// <param name="on">Whether it is to be on.</param>
    /// <exception cref="FormatException">There is no such option, or it is no flag.</exception>
    public static SocketOptionSetting Of(string name, bool on) => Parse($"{name}={(on ? "on" : "off")}");

    /// <summary>Sets a number, of bytes if it is a buffer's, of seconds or whatever the option's unit is.</summary>
    /// <param name="name">As in <c>SO_RCVBUF</c>.</param>
    /// <param name="number">In the option's unit.</param>
    /// <exception cref="FormatException">There is no such option, or the number is out of its range.</exception>
    public static SocketOptionSetting Of(string name, long number) =>
        Parse(string.Create(CultureInfo.InvariantCulture, $"{name}={number}"));

    /// <summary>Sets a length of time.</summary>
    /// <param name="name">As in <c>SO_RCVTIMEO</c> or <c>TCP_KEEPIDLE</c>.</param>
    /// <param name="time">To the microsecond, or in whole seconds, as the option has it.</param>
    /// <exception cref="FormatException">There is no such option, or it takes no such time.</exception>
    public static SocketOptionSetting Of(string name, TimeSpan time) =>
        Parse(string.Create(CultureInfo.InvariantCulture, $"{name}={(decimal)time.Ticks / TimeSpan.TicksPerSecond}"));

    /// <summary>Sets a name.</summary>
    /// <param name="name">As in <c>TCP_CONGESTION</c>.</param>
    /// <param name="text">As in <c>cubic</c>.</param>
    /// <exception cref="FormatException">There is no such option, or it takes no such text.</exception>
    public static SocketOptionSetting Of(string name, string text) => Parse($"{name}={text}");

    /// <summary>Sets SO_LINGER.</summary>
    /// <param name="linger">On or off, and for how many seconds.</param>
    public static SocketOptionSetting Of(LingerOption linger) => Parse(
        string.Create(CultureInfo.InvariantCulture, $"SO_LINGER={(linger.Enabled ? $"on,{linger.LingerTime}" : "off")}"));

    /// <summary>Sets the option on a socket and reads it back.</summary>
    /// <param name="socket">Of a kind that has the option.</param>
    /// <param name="target">What to call the socket in an error; an endpoint, fit to print.</param>
    /// <returns>What the kernel made of it.</returns>
    /// <exception cref="NetworkException">The kernel refuses it; the message says what it answered and what it takes.</exception>
    public SocketOptionOutcome Apply(Socket socket, string target)
    {
        RequireTaken(SocketOptionAccess.Set(socket, Option, _value), target);
        return new SocketOptionOutcome(this, target, ReadBack(socket));
    }

    /// <summary>As <see cref="Apply(Socket, string)"/>, on a descriptor. Linux alone.</summary>
    internal SocketOptionOutcome Apply(int descriptor, string target)
    {
        RequireTaken(SocketOptionAccess.Set(descriptor, Option, _value), target);
        return new SocketOptionOutcome(this, target, ReadBack((SocketOption option, byte[] value, out int length) =>
            SocketOptionAccess.Get(descriptor, option, value, out length)));
    }

    /// <summary>What the socket says of the option now; null if it can't be read.</summary>
    internal string? ReadBack(Socket socket) => ReadBack((SocketOption option, byte[] value, out int length) =>
        SocketOptionAccess.Get(socket, option, value, out length));

    /// <summary>As NAME=VALUE.</summary>
    public override string ToString() => $"{Option}={Asked}";

    private delegate int Getter(SocketOption option, byte[] value, out int length);

    private static string Unit(SocketOption option) => option.Unit.Length == 0 ? "" : " " + option.Unit;

    private static string Example(SocketOption option) => option.Kind switch
    {
        SocketOptionKind.Flag => "1",
        SocketOptionKind.Linger => "on,0",
        SocketOptionKind.TimeVal => "0.5",
        SocketOptionKind.Text => option.Name == "SO_BINDTODEVICE" ? "lo" : option.Name == "TCP_ULP" ? "tls" : "cubic",
        SocketOptionKind.Address => "127.0.0.1",
        SocketOptionKind.Bytes when option.Maximum >= 1 << 20 => "64k",
        _ => Math.Clamp(1, option.Minimum, option.Maximum).ToString(CultureInfo.InvariantCulture),
    };

    private void RequireTaken(int errno, string target)
    {
        if (errno != 0)
        {
            throw SocketOptionRefusal.Of(this, errno, target);
        }
    }

    private string? ReadBack(Getter get)
    {
        // The buffers' FORCE twins can't be read, only their effect.
        SocketOption read = Option.ReadBackName is { } twin ? SocketOptionCatalogue.Find(twin) : Option;
        byte[] value = SocketOptionAccess.NewValue(read);
        return get(read, value, out int length) == 0 ? SocketOptionValue.Format(read, value.AsSpan(0, length)) : null;
    }
}
