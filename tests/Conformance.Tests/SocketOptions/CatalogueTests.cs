using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>The catalogue against the kernel: each option is set, read back, and looked for behind accept.</summary>
[Collection("socket options")]
public sealed class CatalogueTests
{
    public static TheoryData<string> Settable =>
        [.. SocketOptionCatalogue.All.Where(static option => !option.IsReadOnly).Select(static option => option.Name)];

    [Fact]
    public void Names_and_numbers_are_given_once()
    {
        Assert.Equal(SocketOptionCatalogue.All.Count, SocketOptionCatalogue.All.DistinctBy(static option => option.Name).Count());
        Assert.Equal(
            SocketOptionCatalogue.All.Count,
            SocketOptionCatalogue.All.DistinctBy(static option => (option.Level, option.Number)).Count());
        Assert.True(SocketOptionCatalogue.All.Count > 120);
    }

    [Fact]
    public void Every_option_says_in_one_line_what_it_does_and_where_that_is_written() =>
        Assert.All(SocketOptionCatalogue.All, static option =>
        {
            Assert.InRange(option.Description.Length, 10, 110);
            Assert.DoesNotContain('\n', option.Description);
            Assert.Matches(@"\(\d\)|RFC \d+|\.h$|kernel: |ip-sysctl", option.Reference);
            Assert.False(string.IsNullOrEmpty(option.Range) && !option.IsReadOnly);
        });

    /// <summary>
    /// What the kernel does not know for a kind of socket (an older kernel) is not listed and can't be tried. Everything else that
    /// is said to have an effect there must take one of its values and say it back, or explain why not.
    /// </summary>
    [Theory]
    [MemberData(nameof(Settable))]
    public void What_is_set_is_read_back_or_the_difference_is_explained(string name)
    {
        SocketOption option = SocketOptionCatalogue.Find(name);
        foreach (SocketKinds kind in OptionSockets.Kinds.Where(kind => (option.Kinds & kind) != 0))
        {
            using Socket fresh = OptionSockets.New(kind);
            bool known = option.ReadBackName is not null || OptionSockets.ValueOf(fresh, option) is not null;
            foreach (SocketOptionSetting setting in Values(option).TakeWhile(_ => known))
            {
                using Socket socket = OptionSockets.New(kind);
                try
                {
                    SocketOptionOutcome outcome = setting.Apply(socket, "a socket");
                    Assert.Equal(option.ReadBackName is null ? OptionSockets.ValueOf(socket, option) : outcome.Actual, outcome.Actual);
                    bool explained = option.Change is not null || option.Name.Contains("BUF", StringComparison.Ordinal);
                    Assert.True(!outcome.Differs || explained, $"{kind}: {outcome}");
                }
                catch (NetworkException refused) when (MayBeRefused(option, refused))
                {
                    Assert.Contains($"setsockopt a socket: {setting}: E", refused.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Settable))]
    public void A_connection_has_what_its_listener_had_exactly_if_the_catalogue_says_so(string name)
    {
        SocketOption option = SocketOptionCatalogue.Find(name);
        SocketKinds[] kinds = [SocketKinds.Tcp4, SocketKinds.Tcp6, SocketKinds.UnixStream];

        // Others are the listener's own, or are set on the connection in any case.
        bool asked = option.When == SocketOptionTime.Anytime && option.ReadBackName is null && option.IsForServers;
        foreach (SocketKinds kind in kinds.Where(kind => asked && (option.Kinds & kind) != 0))
        {
            using Socket fresh = OptionSockets.New(kind);
            string? before = OptionSockets.ValueOf(fresh, option);
            foreach (SocketOptionSetting setting in Values(option).Where(setting => before is not null && setting.Asked != before))
            {
                try
                {
                    (string? listener, string? accepted) = OptionSockets.AcrossAccept(kind, setting);
                    bool inherited = (option.Inherited & kind) != 0;

                    // A new value must have been there to be lost. Time stamps in each segment take 12 bytes of
                    // TCP_MAXSEG, and a connection's window is bounded by what its header can say.
                    bool same = listener == accepted || option.Name is "TCP_MAXSEG" or "TCP_WINDOW_CLAMP";
                    Assert.True(
                        same == inherited || listener == before,
                        $"{kind} {setting}: the listener has {listener}, its connection {accepted}");
                }
                catch (NetworkException refused) when (MayBeRefused(option, refused))
                {
                    // As the other test has it.
                }
            }
        }
    }

    [Fact]
    public void A_descriptor_takes_what_a_socket_takes()
    {
        using Socket socket = OptionSockets.New(SocketKinds.Tcp4);
        SocketOptionOutcome outcome = SocketOptionSetting.Parse("TCP_KEEPIDLE=33").Apply((int)socket.Handle, "tcp://localhost:1");
        Assert.Equal("33", outcome.Actual);
        Assert.Equal(33, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
        NetworkException refused = Assert.Throws<NetworkException>(
            () => SocketOptionSetting.Parse("UDP_CORK=1").Apply((int)socket.Handle, "tcp://localhost:1"));
        Assert.Equal("ENOPROTOOPT", refused.ErrnoName);
    }

    [Fact]
    public void A_socket_says_nothing_of_options_its_kind_lacks()
    {
        using Socket unix = OptionSockets.New(SocketKinds.UnixStream);
        IReadOnlyList<SocketOptionReading> readings = SocketOptionCatalogue.Read(unix);
        Assert.Contains(readings, static reading => reading.Option.Name == "SO_PASSCRED" && reading.HasEffect);
        Assert.Contains(readings, static reading => reading.Option.Name == "SO_KEEPALIVE" && !reading.HasEffect);
        Assert.DoesNotContain(readings, static reading => reading.Option.LevelName != "SOL_SOCKET");
        using Socket udp = OptionSockets.New(SocketKinds.Udp4);
        Assert.Equal("ENOTCONN", SocketOptionCatalogue.Read(udp).Single(static reading => reading.Option.Name == "IP_MTU").ErrnoName);
    }

    /// <summary>Values to try, of which most kernels take one.</summary>
    private static IEnumerable<SocketOptionSetting> Values(SocketOption option) => (option.Kind switch
    {
        SocketOptionKind.Flag => new[] { "1", "0" },
        SocketOptionKind.Linger => ["on,7", "on,0", "off"],
        SocketOptionKind.TimeVal => ["2", "0.5", "0.0015"],
        SocketOptionKind.Text => option.Name switch { "TCP_CONGESTION" => ["reno"], "SO_BINDTODEVICE" => ["lo"], _ => ["tls"] },
        SocketOptionKind.Address => ["127.0.0.1"],
        SocketOptionKind.Bytes => ["1000", "20000", "60k", "1g"],
        _ when option.Unit == "interface" => ["1"],

        // Packets that come over loopback have 64 hops left: IP_MINTTL=100 would drop them all.
        _ => ["1", "2", "3", "50", "1000", "100000"],
    }).Where(value => SocketOptionSetting.TryParse($"{option}={value}", out _, out _))
        .Select(value => SocketOptionSetting.Parse($"{option}={value}"));

    private static bool MayBeRefused(SocketOption option, NetworkException refused) => refused.ErrnoName switch
    {
        "EPERM" or "EACCES" => option.Privilege is not null && !Environment.IsPrivilegedProcess,
        "EINVAL" => option.Name is "UDP_ENCAP" or "IPV6_ADDR_PREFERENCES" or "TCP_RTO_MIN_US" or "TCP_DELACK_MAX_US" or "SO_TIMESTAMPING"
            or "IP_LOCAL_PORT_RANGE",

        // What depends on the machine: the interface of an index, the module of a protocol, memory control groups.
        "EADDRNOTAVAIL" or "ENODEV" => option.Unit == "interface",
        "ENOPROTOOPT" => option.Name is "UDP_ENCAP" or "SO_BUSY_POLL_BUDGET" or "SO_INQ",
        "ENOENT" => option.Name == "TCP_ULP",
        "ENOTCONN" => option.Name == "TCP_ULP",
        "EOPNOTSUPP" => option.Name is "SO_RESERVE_MEM" or "SO_TIMESTAMPING",
        _ => false,
    };
}
