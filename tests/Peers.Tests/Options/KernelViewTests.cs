using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// What Doorbell says of sockets against what a C program says that inherits the same socket, with the numbers of the system's headers.
/// </summary>
public sealed class KernelViewTests
{
    /// <summary>Of each socket or each moment its own.</summary>
    private static readonly string[] _volatile = ["SO_COOKIE", "TCP_TIMESTAMP"];

    private static readonly string[] _common = ["SO_RCVBUF=50000", "SO_SNDBUF=1g", "SO_RCVTIMEO=1.5", "SO_SNDTIMEO=20ms"];

    public static TheoryData<string, string> Kinds => new()
    {
        { "tcp://127.0.0.1:1", "TCP_NODELAY=1 TCP_KEEPIDLE=77 TCP_CONGESTION=reno SO_LINGER=on,9 IP_TOS=0x10 SO_MAX_PACING_RATE=12345" },
        { "tcp://[::1]:1", "TCP_USER_TIMEOUT=1234 SO_KEEPALIVE=1 IPV6_TCLASS=32 IPV6_UNICAST_HOPS=9 IPV6_UNICAST_IF=1" },
        { "udp://127.0.0.1:1", "SO_BROADCAST=1 IP_MULTICAST_IF=127.0.0.1 IP_UNICAST_IF=1 UDP_SEGMENT=1000 SO_RXQ_OVFL=1" },
        { "udp://[::1]:1", "IPV6_RECVPKTINFO=1 IPV6_MULTICAST_HOPS=7 UDP_GRO=1 IPV6_MTU_DISCOVER=2" },
        { "unix:///x", "SO_PASSCRED=1 SO_RCVLOWAT=5" },
        { "unix+dgram:///x", "SO_PASSCRED=1 SO_PEEK_OFF=3" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_c_program_sees_what_the_library_set_and_says(string endpoint, string settings)
    {
        using Socket socket = New(endpoint);
        foreach (string setting in _common.Concat(settings.Split(' ')))
        {
            SocketOptionSetting.Parse(setting).Apply(socket, endpoint);
        }

        Dictionary<string, string> seen = SeenByC(socket);
        Dictionary<string, string> said = SocketOptionCatalogue.Read(socket)
            .Where(static reading => reading.Value is not null)
            .ToDictionary(static reading => reading.Option.Name, static reading => reading.Value!);
        AssertSame(seen, said);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_command_lists_what_a_c_program_finds_on_such_a_socket(string endpoint, string settings)
    {
        Assert.NotEmpty(settings);
        using Socket socket = New(endpoint);
        Dictionary<string, string> seen = SeenByC(socket);
        foreach (string kind in new[] { "runtime", "native" })
        {
            Ended listed = Doorbells.Run(kind, "", "options", endpoint, "--json");
            Assert.Equal("", listed.Error);
            Assert.Equal(0, listed.ExitCode);
            AssertSame(seen, listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonDocument.Parse(line).RootElement)
                .Where(static option => option.GetProperty("value").ValueKind == JsonValueKind.String)
                .ToDictionary(static option => Text(option, "name"), static option => Text(option, "value")));
        }
    }

    private static string Text(JsonElement option, string name) => option.GetProperty(name).GetString()!;

    /// <summary>The same names, but for those that the headers here are too old for; the same values.</summary>
    private static void AssertSame(Dictionary<string, string> seen, Dictionary<string, string> said)
    {
        Assert.InRange(seen.Count, 30, 200);
        Assert.Empty(seen.Keys.Except(said.Keys));
        Assert.InRange(said.Count - seen.Count, 0, 20);
        foreach ((string name, string value) in seen.Where(static option => !_volatile.Contains(option.Key)))
        {
            string same = name.EndsWith("TIMEO", StringComparison.Ordinal)
                ? decimal.Parse(value, CultureInfo.InvariantCulture).ToString("0.######", CultureInfo.InvariantCulture)
                : value;
            Assert.Equal($"{name} {same}", $"{name} {said[name]}");
        }
    }

    private static Dictionary<string, string> SeenByC(Socket socket)
    {
        const int SetDescriptorFlags = 2;
        int descriptor = (int)socket.Handle;

        // Without FD_CLOEXEC it is inherited, for as long as this takes by any program that another test starts as well.
        Assert.Equal(0, Fcntl(descriptor, SetDescriptorFlags, 0));
        Ended ended = Program.Run(Textbook.InC("getsockopt"), [descriptor.ToString(CultureInfo.InvariantCulture)]);
        Assert.Equal(0, ended.ExitCode);
        return ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(' ', 2))
            .ToDictionary(static parts => parts[0], static parts => parts[1]);
    }

    private static Socket New(string endpoint)
    {
        Endpoint parsed = Endpoint.Parse(endpoint);
        AddressFamily family = parsed.IsUnix ? AddressFamily.Unix
            : parsed.Host!.Contains(':') ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        Socket socket = new(family, parsed.IsStream ? SocketType.Stream : SocketType.Dgram, ProtocolType.Unspecified);
        if (family == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = false;
        }

        return socket;
    }

    [DllImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fcntl(int descriptor, int command, int argument);
}
