using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.SocketOptions;

/// <summary>All socket options that Doorbell knows of, and what a socket says of them.</summary>
/// <remarks>Options whose value is a larger structure, such as IP_ADD_MEMBERSHIP's or TCP_INFO's, are not here.</remarks>
public static class SocketOptionCatalogue
{
    private const int MaxNearNames = 3;

    private static readonly Dictionary<string, SocketOption> _byName;

    static SocketOptionCatalogue()
    {
        All =
        [
            .. BasicSocketOptions.All,
            .. LinuxSocketOptions.All,
            .. IPOptions.All.Select(static option => option with { LevelName = "IPPROTO_IP", Level = 0 }),
            .. IPv6Options.All.Select(static option => option with { LevelName = "IPPROTO_IPV6", Level = 41 }),
            .. TcpOptions.All.Select(static option => option with { LevelName = "IPPROTO_TCP", Level = 6 }),
            .. UdpOptions.All.Select(static option => option with { LevelName = "IPPROTO_UDP", Level = 17 }),
        ];
        _byName = All.ToDictionary(static option => option.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>All, grouped by level. Which of them the kernel knows only <see cref="Read"/> tells.</summary>
    public static IReadOnlyList<SocketOption> All { get; }

    /// <summary>The option of a name, in whatever case.</summary>
    /// <param name="name">As in <c>TCP_NODELAY</c>.</param>
    /// <exception cref="FormatException">There is none; the message is one line that gives the nearest names.</exception>
    public static SocketOption Find(string name) => _byName.TryGetValue(name, out SocketOption? option)
        ? option
        : throw new FormatException(
            $"\"{PrintableText.Escape(name)}\" is no socket option: did you mean {Near(name)}? SocketOptionCatalogue.All lists them");

    /// <summary>
    /// Asks the kernel for all options of a socket. One that it does not know for this kind of socket (ENOPROTOOPT, EOPNOTSUPP) is
    /// left out.
    /// </summary>
    /// <param name="socket">Of any kind; nothing is changed, but reading SO_ERROR clears it.</param>
    /// <returns>In the catalogue's order.</returns>
    public static IReadOnlyList<SocketOptionReading> Read(Socket socket)
    {
        SocketKinds kinds = SocketKindsOf.Socket(socket);
        List<SocketOptionReading> readings = [];
        foreach (SocketOption option in All)
        {
            byte[] value = SocketOptionAccess.NewValue(option);
            int errno = SocketOptionAccess.Get(socket, option, value, out int length);
            if (errno == 0)
            {
                string text = SocketOptionValue.Format(option, value.AsSpan(0, length));
                readings.Add(new SocketOptionReading(option, text, null, (option.Kinds & kinds) != 0));
            }
            else if (errno is not (SocketOptionAccess.UnknownOption or SocketOptionAccess.NotSupported))
            {
                readings.Add(new SocketOptionReading(option, null, Errno.OfLinux(errno).Name, (option.Kinds & kinds) != 0));
            }
        }

        return readings;
    }

    private static string Near(string name)
    {
        string wanted = name.Length > 40 ? name[..40].ToUpperInvariant() : name.ToUpperInvariant();
        int Distance(string known) => Math.Min(
            NearName.Distance(known, wanted), NearName.Distance(known[(known.IndexOf('_') + 1)..], Bare(wanted)));
        string[] near = [.. _byName.Keys.OrderBy(Distance).ThenBy(static known => known.Length).Take(MaxNearNames)];
        return $"{string.Join(", ", near[..^1])} or {near[^1]}";
    }

    /// <summary>Without level and underscores: people write nodelay, SO_NODELAY and TcpNoDelay for one thing.</summary>
    private static string Bare(string name) => name[(name.IndexOf('_') + 1)..];
}

/// <summary>What a socket says of an option.</summary>
/// <param name="Option">Which.</param>
/// <param name="Value">Its value, as <see cref="SocketOptionSetting.Parse"/> takes it; null if it can't be read now.</param>
/// <param name="ErrnoName">Why it can't be read now, as in <c>ENOTCONN</c>; null if it can.</param>
/// <param name="HasEffect">Whether it does anything on this kind of socket: the kernel knows some that do not.</param>
public sealed record SocketOptionReading(SocketOption Option, string? Value, string? ErrnoName, bool HasEffect);
