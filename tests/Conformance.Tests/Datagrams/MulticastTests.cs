using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Doorbell.Sessions;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>Groups and broadcast addresses, on the loopback interface.</summary>
public sealed class MulticastTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    private static int _lastGroup;

    public static TheoryData<string> All => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_member_answers_once_and_from_an_address_of_its_own(string model)
    {
        await using Running server = await StartAsync(NewGroup(), model);
        DatagramAnswer answer = await AskAsync(server.Endpoint);
        Assert.Equal("HELLO"u8.ToArray(), answer.Bytes);
        RequireMember(server, answer.Peer);

        // Every socket of the server that had joined would have received it.
        Assert.Single(server.Server.Doors);
        Assert.Equal(1, server.Counts.DatagramsReceived);
        Assert.Equal(0, server.Counts.Errors);
    }

    [Fact]
    public async Task A_program_answers_in_a_group()
    {
        await using Server server = await Server.StartAsync(new ServerOptions
        {
            Service = Service.Run("tr", ServiceProgram.Shell("tr a-z A-Z")),
            Endpoints = [Endpoint.Parse($"udp://{NewGroup()}%lo:0")],
        });
        DatagramAnswer answer = await AskAsync(server.Doors[0].Endpoint);
        Assert.Equal("HELLO"u8.ToArray(), answer.Bytes);
    }

    [Fact]
    public async Task A_group_is_left_with_the_socket()
    {
        IPAddress group = NewGroup();
        Assert.False(IsJoined(group));
        await using (Running server = await StartAsync(group, "iterative"))
        {
            Assert.True(IsJoined(group));
        }

        Assert.False(IsJoined(group));
    }

    [Fact]
    public async Task A_member_hears_nothing_of_other_groups_that_this_machine_has_joined()
    {
        IPAddress group = NewGroup();
        await using Running server = await StartAsync(group, "iterative");
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        IPAddress another = NewGroup();
        other.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(another, 1));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(1));
        client.SendTo("hello"u8, new IPEndPoint(another, server.Endpoint.Port));
        client.SendTo("hello"u8, new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
        await AskAsync(server.Endpoint);
        Assert.Equal(1, server.Counts.DatagramsReceived);
    }

    [Fact]
    public async Task The_first_of_several_members_answers_the_question()
    {
        IPAddress group = NewGroup();
        await using Running first = await StartAsync(group, "iterative", "SO_REUSEADDR=1");
        await using Running second = await Running.StartAsync(ClassicServices.Capitalize, "udp", model: "async", change: options =>
            options with { Endpoints = [first.Endpoint], SocketOptions = [SocketOptionSetting.Parse("SO_REUSEADDR=1")] });
        Assert.Equal("HELLO"u8.ToArray(), (await AskAsync(first.Endpoint)).Bytes);
        SpinWait.SpinUntil(() => first.Counts.DatagramsSent + second.Counts.DatagramsSent == 2, _timeout);
        Assert.Equal(1, first.Counts.DatagramsReceived);
        Assert.Equal(1, second.Counts.DatagramsReceived);
    }

    [Fact]
    public async Task A_group_has_no_connections()
    {
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(ClassicServices.Echo, "tcp://239.9.9.9:0"));
        Assert.Equal("bind tcp://239.9.9.9:0: a multicast group has no connections; serve datagrams there, as in udp://", refused.Message);
    }

    [Fact]
    public async Task An_interface_that_is_not_there_is_named()
    {
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(
            () => Server.StartAsync(ClassicServices.Echo, "udp://239.9.9.9%16000000:0"));
        Assert.StartsWith("join udp://239.9.9.9%16000000:0: ENODEV", refused.Message, StringComparison.Ordinal);
        Assert.Contains("name one that `ip link` shows", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("127.0.0.1")]
    public async Task A_broadcast_is_sent_unless_it_is_forbidden(string? from)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", model: "iterative",
            change: static options => options with { Endpoints = [Endpoint.Parse("udp://0.0.0.0:0")] });
        Endpoint everybody = Endpoint.Parse($"udp://127.255.255.255:{server.Endpoint.Port}");
        ClientOptions asked = new()
        {
            LocalAddress = from is null ? null : IPAddress.Parse(from),
        };
        DatagramAnswer answer = await DatagramClient.AskAsync(
            everybody, "hello"u8.ToArray(), _timeout, RetrySchedule.Default, asked, CancellationToken.None);
        Assert.Equal("HELLO"u8.ToArray(), answer.Bytes);
        RequireMember(server, answer.Peer);
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(() => DatagramClient.AskAsync(
            everybody,
            "hello"u8.ToArray(),
            _timeout,
            RetrySchedule.Default,
            new ClientOptions { SocketOptions = [SocketOptionSetting.Parse("SO_BROADCAST=0")] },
            CancellationToken.None));
        Assert.Contains("EACCES", refused.Message, StringComparison.Ordinal);
        Assert.Contains("SO_BROADCAST=0", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A copy of what is sent to a broadcast address comes to every socket of the port.</summary>
    [Theory]
    [InlineData("udp://0.0.0.0:0", "thread")]
    [InlineData("udp://0.0.0.0:0", "loop/epoll")]
    [InlineData("udp://*:0", "loop/io_uring")]
    [InlineData("udp://*:0", "async")]
    [InlineData("udp://127.255.255.255:0", "thread")]
    public async Task A_broadcast_is_answered_once_however_many_sockets_hear_it(string door, string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", change: options => options with
            {
                Endpoints = [Endpoint.Parse(door)],
                Model = model.StartsWith("loop", StringComparison.Ordinal) ? ServerModel.Loop(4) : ServerModel.Named(model.Split('/')[0]),
                Engine = Models.EngineOf(model),
            });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            EnableBroadcast = true, ReceiveTimeout = (int)_timeout.TotalMilliseconds,
        };
        IPEndPoint everybody = new(IPAddress.Parse("127.255.255.255"), server.Endpoint.Port);
        const int Questions = 20;
        for (int i = 0; i < Questions; i++)
        {
            client.SendTo("hello"u8, everybody);
            Assert.Equal(5, client.Receive(new byte[10]));
        }

        await server.Server.DrainAsync(_timeout);
        Assert.Equal(0, client.Available);
        Assert.Equal(Questions, server.Counts.DatagramsSent);
    }

    [Fact]
    public async Task A_socket_of_every_address_hears_nothing_of_groups_that_other_programs_have_joined()
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", change: static options => options with { Endpoints = [Endpoint.Parse("udp://*:0")] });
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        IPAddress group = NewGroup();
        other.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group, 1));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(1));
        client.SendTo("hello"u8, new IPEndPoint(group, server.Endpoint.Port));
        await AskAsync(Endpoint.Parse($"udp://127.0.0.1:{server.Endpoint.Port}"));
        await server.Server.DrainAsync(_timeout);
        Assert.Equal(1, server.Counts.DatagramsReceived);
    }

    [Theory]
    [InlineData("239.77.8.1", "lo", true)]
    [InlineData("239.77.8.2", "", true)]
    [InlineData("239.77.8.3", "eth0", false)]
    [InlineData("[ff05::7701", "lo", true)]
    [InlineData("[ff05::7702", "", true)]
    public async Task A_takeover_keeps_a_group_on_its_interface_and_refuses_another(string group, string of, bool isTaken)
    {
        if (of.Length > 0 && !NetworkInterface.GetAllNetworkInterfaces().Any(each => each.Name == of))
        {
            return; // this machine lacks it
        }

        string end = group.StartsWith('[') ? "]" : "";
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        ServerOptions old = new()
        {
            Service = ClassicServices.Capitalize, Endpoints = [Endpoint.Parse($"udp://{group}%lo{end}:0")], TakeoverPath = path,
        };
        await using Server first = await Server.StartAsync(old);
        string zone = of.Length > 0 ? $"%{of}" : "";
        ServerOptions next = old with { Endpoints = [Endpoint.Parse($"udp://{group}{zone}{end}:{first.Doors[0].Endpoint.Port}")] };
        if (!isTaken)
        {
            ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => Server.StartAsync(next));
            Assert.Contains("this server would not serve that", refused.Message, StringComparison.Ordinal);
            return;
        }

        await using Server second = await Server.StartAsync(next);
        Assert.Equal(Environment.ProcessId, second.TookOverFrom);
        Assert.Equal(first.Doors[0].Endpoint, second.Doors[0].Endpoint);
        await first.Completion.WaitAsync(_timeout);
        if (end.Length == 0)
        {
            // Not every machine has a route to groups of IPv6.
            Assert.Equal("HELLO"u8.ToArray(), (await AskAsync(second.Doors[0].Endpoint)).Bytes);
        }
    }

    [Fact]
    public async Task A_handler_asks_a_group()
    {
        await using Running server = await StartAsync(NewGroup(), "iterative");
        Question question = new(SocketAddressOf(server.Endpoint));
        await using DatagramConnection connection = await DatagramConnection.OpenAsync(
            server.Endpoint, _ => question, _timeout, ClientOptions.Default, CancellationToken.None);
        RequireMember(server, await question.Answered.Task.WaitAsync(_timeout));
    }

    /// <summary>Which of this machine's addresses the kernel sends from by loopback depends on what else the machine has.</summary>
    private static void RequireMember(Running server, PeerAddress peer)
    {
        Assert.Equal(server.Endpoint.Port, peer.Port);
        Assert.InRange((uint)peer.Bits >> 24, 1u, 223u);
    }

    private static PeerAddress SocketAddressOf(Endpoint endpoint) =>
        PeerAddress.From(new IPEndPoint(endpoint.Address!, endpoint.Port));

    /// <summary>For one test alone: tests run side by side.</summary>
    private static IPAddress NewGroup() => new([239, 77, 9, (byte)Interlocked.Increment(ref _lastGroup)]);

    private static Task<Running> StartAsync(IPAddress group, string model, params string[] settings) =>
        Running.StartAsync(ClassicServices.Capitalize, "udp", model: model, change: options => options with
        {
            Endpoints = [Endpoint.Parse($"udp://{group}%lo:0")],
            SocketOptions = [.. settings.Select(SocketOptionSetting.Parse)],
        });

    private static Task<DatagramAnswer> AskAsync(Endpoint endpoint) =>
        DatagramClient.AskAsync(endpoint, "hello"u8.ToArray(), _timeout, RetrySchedule.Default with { Tries = 1 }, CancellationToken.None);

    /// <summary>/proc/net/igmp has an address as the number that its four bytes are on a little-endian machine.</summary>
    private static bool IsJoined(IPAddress group) =>
        File.ReadAllText("/proc/net/igmp").Contains($"{BitConverter.ToUInt32(group.GetAddressBytes()):X8}", StringComparison.Ordinal);

    private sealed class Question(PeerAddress group) : DatagramHandler
    {
        public TaskCompletionSource<PeerAddress> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnOpen(DatagramTurn turn)
        {
            System.Buffers.BuffersExtensions.Write(turn.Output, "hello"u8);
            turn.SendTo(group);
        }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => Answered.TrySetResult(datagram.From);
    }
}
