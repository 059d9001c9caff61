using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.SocketOptions;

/// <summary>Between an option's value as people write it and as the kernel takes it.</summary>
internal static class SocketOptionValue
{
    private const int MicrosecondsOfASecond = 1_000_000;

    /// <summary>The longest name that an option takes: IFNAMSIZ and TCP_CA_NAME_MAX less the NUL.</summary>
    private const int MaxTextBytes = 15;

    /// <summary>The value as the kernel takes it; null if the option takes no such value.</summary>
    public static byte[]? Parse(SocketOption option, string text)
    {
        byte[] value = SocketOptionAccess.NewValue(option);
        bool right = option.Kind switch
        {
            SocketOptionKind.Flag => TryFlag(text, out bool on) && WriteNumber(option, value, on ? 1 : 0),
            SocketOptionKind.Seconds => TrySeconds(text, out decimal seconds) && decimal.IsInteger(seconds)
                && InRange(option, (long)seconds) && WriteNumber(option, value, (long)seconds),
            SocketOptionKind.TimeVal => TrySeconds(text, out decimal time) && time >= 0 && WriteTimeVal(value, time),
            SocketOptionKind.Linger => TryLinger(text, out bool on, out int wait) && WriteLinger(value, on, wait),
            SocketOptionKind.Address => IPAddress.TryParse(text, out IPAddress? address)
                && address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(value, out _),
            SocketOptionKind.Text => TryText(text, ref value),
            _ => TryNumber(text, option.Kind == SocketOptionKind.Bytes, out long number)
                && InRange(option, number) && WriteNumber(option, value, number),
        };
        return right ? value : null;
    }

    /// <summary>As <see cref="Parse"/> takes it, always in the same form.</summary>
    public static string Format(SocketOption option, ReadOnlySpan<byte> value) => option.Kind switch
    {
        SocketOptionKind.Linger => BitConverter.ToInt32(value) == 0
            ? "off"
            : string.Create(CultureInfo.InvariantCulture, $"on,{BitConverter.ToInt32(value[sizeof(int)..])}"),
        SocketOptionKind.TimeVal => Seconds(value).ToString("0.######", CultureInfo.InvariantCulture),
        SocketOptionKind.Text => PrintableText.Escape(Encoding.UTF8.GetString(UpToNul(value))),
        SocketOptionKind.Address => new IPAddress(value[..sizeof(int)]).ToString(),
        _ => Number(option, value).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>A number's value; the kernel answers some with fewer bytes than it was asked for (ip(7): a byte for small ones).</summary>
    public static long Number(SocketOption option, ReadOnlySpan<byte> value) => value.Length switch
    {
        < sizeof(int) => value.IsEmpty ? 0 : value[0],
        sizeof(long) => BitConverter.ToInt64(value),
        _ when option.IsBigEndian => BinaryPrimitives.ReadInt32BigEndian(value),
        _ when option.Maximum > int.MaxValue => BitConverter.ToUInt32(value),
        _ => BitConverter.ToInt32(value),
    };

    /// <summary>struct linger (socket(7)).</summary>
    public static bool WriteLinger(byte[] value, bool on, int seconds) =>
        BitConverter.TryWriteBytes(value, on ? 1 : 0) && BitConverter.TryWriteBytes(value.AsSpan(sizeof(int)), seconds);

    private static bool InRange(SocketOption option, long number) => number >= option.Minimum && number <= option.Maximum;

    private static ReadOnlySpan<byte> UpToNul(ReadOnlySpan<byte> value)
    {
        int end = value.IndexOf((byte)0);
        return end < 0 ? value : value[..end];
    }

    private static decimal Seconds(ReadOnlySpan<byte> value) =>
        BitConverter.ToInt64(value) + (BitConverter.ToInt64(value[sizeof(long)..]) / (decimal)MicrosecondsOfASecond);

    private static bool WriteNumber(SocketOption option, byte[] value, long number) =>
        option.Size == sizeof(long) ? BitConverter.TryWriteBytes(value, number)
        : option.IsBigEndian ? BinaryPrimitives.TryWriteInt32BigEndian(value, (int)number)
        : BitConverter.TryWriteBytes(value, unchecked((int)number));

    /// <summary>struct timeval of two longs, as on every 64-bit Linux.</summary>
    private static bool WriteTimeVal(byte[] value, decimal seconds)
    {
        decimal whole = decimal.Truncate(seconds);
        long microseconds = (long)decimal.Round((seconds - whole) * MicrosecondsOfASecond);
        return BitConverter.TryWriteBytes(value, (long)whole + (microseconds / MicrosecondsOfASecond))
            && BitConverter.TryWriteBytes(value.AsSpan(sizeof(long)), microseconds % MicrosecondsOfASecond);
    }

    private static bool TryFlag(string text, out bool on)
    {
        on = text is "1" or "on";
        return on || text is "0" or "off";
    }

    private static bool TryText(string text, ref byte[] value)
    {
        value = Encoding.UTF8.GetBytes(text);
        return value.Length <= MaxTextBytes && !value.Contains((byte)0);
    }

    private static bool TryLinger(string text, out bool on, out int seconds)
    {
        string[] parts = text.Split(',');
        seconds = 0;
        bool right = TryFlag(parts[0], out on);
        return right && (parts.Length == 1
            ? !on
            : parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out seconds));
    }

    private static bool TrySeconds(string text, out decimal seconds)
    {
        (string number, decimal unit) = text switch
        {
            [.. var us, 'u', 's'] => (us, 0.000001m),
            [.. var ms, 'm', 's'] => (ms, 0.001m),
            [.. var s, 's'] => (s, 1),
            [.. var m, 'm'] => (m, 60),
            _ => (text, 1m),
        };
        const decimal MaxSeconds = int.MaxValue;
        const NumberStyles Styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        bool isNumber = decimal.TryParse(number, Styles, CultureInfo.InvariantCulture, out seconds) && Math.Abs(seconds) <= MaxSeconds;
        seconds *= isNumber ? unit : 0;
        return isNumber && seconds <= MaxSeconds;
    }

    private static bool TryNumber(string text, bool isBytes, out long number)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number) && number >= 0;
        }

        int shift = !isBytes || text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        ReadOnlySpan<char> digits = shift == 0 ? text : text.AsSpan(..^1);
        bool right = long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
            && Math.Abs((decimal)number) <= long.MaxValue >> shift;
        number <<= shift;
        return right;
    }
}
