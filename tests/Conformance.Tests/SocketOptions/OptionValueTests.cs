using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>Every option at the edges of its range, on servers of each kind: they answer, or say at once why not.</summary>
[Collection("socket options")]
public sealed class OptionValueTests
{
    /// <summary>
    /// What keeps this client out as it was asked to: hops that no packet has left (RFC 5082 asks for 255 from a neighbour),
    /// answers without a checksum, answers cut into bytes, nothing told of before 2 GiB are there.
    /// </summary>
    private static readonly string[] _wishes =
        ["IP_MINTTL=255", "IPV6_MINHOPCOUNT=255", "UDP_NO_CHECK6_TX=1", "UDP_SEGMENT=1", "SO_RCVLOWAT=2147483647"];

    public static TheoryData<string, string> Kinds
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in new[] { "thread", "async", "loop/epoll" })
            {
                all.Add("tcp://127.0.0.1:0", model);
                all.Add("tcp://*:0", model);
                all.Add("udp://127.0.0.1:0", model);
                all.Add("udp://*:0", model);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_server_answers_or_says_at_its_start_why_it_would_not(string endpoint, string model)
    {
        List<string> silent = [];
        foreach (SocketOption option in SocketOptionCatalogue.All.Where(static option => option.IsForServers))
        {
            foreach (SocketOptionSetting setting in Edges(option))
            {
                try
                {
                    await using Running server = await Running.StartAsync(
                        ClassicServices.Echo, "tcp", model: model, change: options => options with
                        {
                            Endpoints = [Endpoint.Parse(endpoint)],
                            SocketOptions = [setting],
                        });
                    string? answer = Ask(server.Endpoint);
                    if (answer != "hello\n" && !_wishes.Contains($"{setting}"))
                    {
                        silent.Add($"{setting}");
                    }
                }
                catch (Exception refused) when (refused is NetworkException or ArgumentException)
                {
                }
            }
        }

        Assert.Equal("", string.Join(" ", silent));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0", "TCP_ULP=nonsense", "setsockopt tcp://127.0.0.1:")]
    [InlineData("tcp://*:0", "TCP_ULP=nonsense", "ENOENT")]
    [InlineData("tcp://127.0.0.1:0", "SO_BINDTOIFINDEX=2147483647", "ENODEV")]
    [InlineData("udp://127.0.0.1:0", "IP_BIND_ADDRESS_NO_PORT=1", "is for the side that connects")]
    [InlineData("udp://127.0.0.1:0", "UDP_CORK=1", "UDP_CORK=1 can't be served with: the kernel would collect all answers")]
    [InlineData("udp://127.0.0.1:0", "UDP_ENCAP=2", "UDP_ENCAP=2 can't be served with")]
    [InlineData("udp://*:0", "IP_PKTINFO=0", "answers from the one that was asked")]
    [InlineData("udp://[::]:0", "IPV6_RECVPKTINFO=0", "answers from the one that was asked")]
    public async Task What_would_fail_for_everyone_is_refused_at_the_start(string endpoint, string setting, string reason)
    {
        Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => Server.StartAsync(Options("thread", endpoint, setting)));
        Assert.True(refused is ArgumentException or NetworkException, refused.GetType().Name);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_lanes_need_is_not_taken_from_them_in_silence()
    {
        ArgumentException joined = await Assert.ThrowsAsync<ArgumentException>(
            () => Server.StartAsync(Options("async", "udp://127.0.0.1:0", "UDP_GRO=1")));
        Assert.Contains("could not cut joined ones apart", joined.Message, StringComparison.Ordinal);
        ArgumentException shared = await Assert.ThrowsAsync<ArgumentException>(
            () => Server.StartAsync(Options("thread", "udp://127.0.0.1:0", "SO_REUSEPORT=0") with { ReusePort = true }));
        Assert.Contains("ReusePort asks for the opposite", shared.Message, StringComparison.Ordinal);
    }

    /// <summary>SO_TIMESTAMPNS turns SO_TIMESTAMP off (sock_set_timestamp in net/core/sock.c).</summary>
    [Fact]
    public async Task An_option_that_a_later_one_changes_is_told_as_it_is_in_the_end()
    {
        await using Server server = await Server.StartAsync(
            Options("thread", "udp://127.0.0.1:0", "SO_TIMESTAMP=1", "SO_TIMESTAMPNS=1", "SO_PRIORITY=2", "SO_PRIORITY=3"));
        Assert.Equal(
            [
                "SO_TIMESTAMP is 0 (asked: 1): it was 1 until an option or a call that came later changed it",
                "SO_TIMESTAMPNS is 1, as asked",
                "SO_PRIORITY is 3 (asked: 2): it was 2 until an option or a call that came later changed it",
                "SO_PRIORITY is 3, as asked",
            ],
            server.SocketOptions.Select(static outcome => outcome.ToString()));
    }

    [Theory]
    [InlineData("tcp://*:0", "1", "tcp://[::]:")]
    [InlineData("udp://*:0", "1", "udp://[::]:")]
    [InlineData("tcp://[::]:0", "0", "tcp://*:")]
    [InlineData("udp://[::]:0", "0", "udp://*:")]
    public async Task A_door_is_named_after_the_families_that_it_has(string endpoint, string only6, string name)
    {
        await using Server server = await Server.StartAsync(Options("thread", endpoint, $"IPV6_V6ONLY={only6}"));
        Assert.StartsWith(name, server.Doors[0].Endpoint.ToString(), StringComparison.Ordinal);
        Assert.All(server.SocketOptions, static outcome => Assert.False(outcome.Differs, outcome.ToString()));
    }

    private static ServerOptions Options(string model, string endpoint, params string[] settings) => new()
    {
        Service = ClassicServices.Echo,
        Model = ServerModel.Named(model),
        Endpoints = [Endpoint.Parse(endpoint)],
        SocketOptions = [.. settings.Select(SocketOptionSetting.Parse)],
    };

    private static IEnumerable<SocketOptionSetting> Edges(SocketOption option)
    {
        string[] values = option.Kind switch
        {
            SocketOptionKind.Flag => ["0", "1"],
            SocketOptionKind.Text => ["", "nonsense", "lo"],
            SocketOptionKind.Address => ["127.0.0.1", "192.0.2.1"],
            SocketOptionKind.Linger => ["off", "on,0", "on,1"],
            SocketOptionKind.TimeVal => ["0", "1us", "1"],
            _ => [$"{option.Minimum}", $"{Math.Clamp(1, option.Minimum, option.Maximum)}", $"{option.Maximum}"],
        };
        foreach (string value in values.Distinct())
        {
            if (SocketOptionSetting.TryParse($"{option.Name}={value}", out SocketOptionSetting? setting, out _))
            {
                yield return setting;
            }
        }
    }

    private static string? Ask(Endpoint door)
    {
        IPAddress host = door.Host is "*" or "::" ? IPAddress.IPv6Loopback : IPAddress.Parse(door.Host!);
        bool stream = door.IsStream;
        using Socket socket = new(
            host.AddressFamily, stream ? SocketType.Stream : SocketType.Dgram, stream ? ProtocolType.Tcp : ProtocolType.Udp);
        socket.ReceiveTimeout = 1000;
        try
        {
            if (!socket.ConnectAsync(host, door.Port).Wait(1000))
            {
                return "NoConnect";
            }

            socket.Send("hello\n"u8);
            byte[] answer = new byte[100];
            int count = socket.Receive(answer);
            return Encoding.UTF8.GetString(answer, 0, count);
        }
        catch (Exception failure) when (failure is SocketException or AggregateException)
        {
            return failure.Message;
        }
    }
}
