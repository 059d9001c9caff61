using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Datagram services over UDP and unix datagram sockets.</summary>
public sealed class DatagramBehaviourTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    public static TheoryData<string> Transports => OperatingSystem.IsLinux() ? ["udp", "unix+dgram"] : ["udp"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_datagram_is_answered_to_its_sender(string transport)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, transport);
        Assert.Equal("STRASSE", await AskAsync(server, "straße"));
        Assert.Equal("", await AskAsync(server, ""));
        Assert.Equal(2, server.Counts.DatagramsReceived);
        Peer.Eventually(() => server.Counts.DatagramsSent == 2, "both answers are counted");
    }

    [Fact]
    public async Task The_largest_datagram_is_answered_whole()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        string largest = new('a', 65_507);
        Assert.Equal(largest.ToUpperInvariant(), await AskAsync(server, largest));
    }

    [Fact]
    public async Task An_answer_that_would_not_fit_is_not_sent_and_counted_and_the_next_is_answered()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        using Socket client = DatagramSocketTo(server);
        client.Send(Encoding.UTF8.GetBytes(new string('ΐ', 30_000)));
        client.Send("next"u8);
        byte[] answer = new byte[100];
        Assert.Equal("NEXT", Encoding.UTF8.GetString(answer, 0, client.Receive(answer)));
        Assert.Equal(1, server.Counts.Dropped(DatagramDrop.AnswerTooLarge));
    }

    [Trait("Needs", "Linux")]
    [Fact]
    public async Task A_datagram_larger_than_the_limit_is_not_handled_and_counted()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "unix+dgram");
        using Socket client = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        client.SendTo(new byte[70_000], new UnixDomainSocketEndPoint(server.Endpoint.Path!));
        Peer.Eventually(() => server.Counts.Dropped(DatagramDrop.Truncated) == 1, "it is counted");
        Assert.Equal(0, server.Counts.DatagramsReceived);
    }

    [Trait("Needs", "Linux")]
    [Fact]
    public async Task A_peer_without_an_address_gets_no_answer_and_that_is_counted()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "unix+dgram");
        using Socket nameless = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        nameless.SendTo("hello"u8, new UnixDomainSocketEndPoint(server.Endpoint.Path!));
        Peer.Eventually(() => server.Counts.Dropped(DatagramDrop.SendFailed) == 1, "it is counted");
        Assert.Equal("AFTER", await AskAsync(server, "after"));
    }

    [Trait("Needs", "Linux")]
    [Fact]
    public async Task A_unix_client_that_never_reads_makes_nobody_else_wait()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "unix+dgram");
        using Socket rude = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        rude.Bind(new UnixDomainSocketEndPoint("\0" + Path.GetRandomFileName()));
        for (int i = 0; i < 100; i++)
        {
            rude.SendTo("hello"u8, new UnixDomainSocketEndPoint(server.Endpoint.Path!));
        }

        Assert.Equal("AFTER", await AskAsync(server, "after"));
        Peer.Eventually(() => server.Counts.Dropped(DatagramDrop.SendFailed) > 0, "what the rude one does not take is counted");
    }

    [Fact]
    public async Task A_drain_answers_past_empty_datagrams_too()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        using Socket client = DatagramSocketTo(server);
        for (int i = 0; i < 100; i++)
        {
            client.Send(i % 2 == 0 ? [] : "x"u8);
        }

        await server.Server.DrainAsync(_timeout);
        Assert.Equal(100, server.Counts.DatagramsSent);
    }

    [Fact]
    public async Task A_client_that_is_gone_before_its_answer_disturbs_nobody()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        for (int i = 0; i < 100; i++)
        {
            using Socket gone = DatagramSocketTo(server);
            gone.Send("hello"u8);
        }

        Assert.Equal("AFTER", await AskAsync(server, "after"));
    }

    [Fact]
    public async Task A_drain_answers_the_datagrams_that_have_arrived()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        using Socket client = DatagramSocketTo(server);
        for (int i = 0; i < 100; i++)
        {
            client.Send(Encoding.UTF8.GetBytes($"n{i}"));
        }

        await server.Server.DrainAsync(_timeout);
        byte[] answer = new byte[100];
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal($"N{i}", Encoding.UTF8.GetString(answer, 0, client.Receive(answer)));
        }
    }

    [Fact]
    public async Task A_question_is_sent_again_until_it_is_answered_and_the_tries_are_told()
    {
        using Socket lossy = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        lossy.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Task serving = Task.Run(() =>
        {
            byte[] question = new byte[100];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            lossy.ReceiveFrom(question, ref from);
            int count = lossy.ReceiveFrom(question, ref from);

            // A forged answer from elsewhere comes first.
            using Socket forger = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            forger.SendTo("forged"u8, from);
            lossy.SendTo(question.AsSpan(0, count), SocketFlags.None, from);
        });
        RetrySchedule quick = RetrySchedule.Default with { FirstInterval = TimeSpan.FromMilliseconds(50) };
        DatagramAnswer answer = await DatagramClient.AskAsync(
            Endpoint.From(Transport.Udp, (IPEndPoint)lossy.LocalEndPoint!), "hello"u8.ToArray(), _timeout, quick,
                TestContext.Current.CancellationToken);
        await serving;
        Assert.Equal("hello", Encoding.UTF8.GetString(answer.Bytes));
        Assert.True(answer.Tries >= 2);
    }

    [Fact]
    public async Task Silence_ends_after_the_tries_and_a_refusal_at_once()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)silent.LocalEndPoint!);
        RetrySchedule quick = RetrySchedule.Default with { FirstInterval = TimeSpan.FromMilliseconds(20), Tries = 3 };
        NetworkException silence = await Assert.ThrowsAsync<NetworkException>(() =>
            DatagramClient.AskAsync(endpoint, default, TimeSpan.FromMilliseconds(500), quick, TestContext.Current.CancellationToken));
        Assert.Equal(SocketError.TimedOut, silence.Error);
        Assert.Contains("3 tries", silence.Message, StringComparison.Ordinal);
        Assert.Equal(3, Waiting(silent));
        silent.Dispose();
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(() =>
            DatagramClient.AskAsync(endpoint, default, _timeout, RetrySchedule.Default, TestContext.Current.CancellationToken));
        Assert.Equal(SocketError.ConnectionRefused, refused.Error);
    }

    private static int Waiting(Socket socket)
    {
        int count = 0;
        for (byte[] buffer = new byte[10]; socket.Poll(0, SelectMode.SelectRead); count++)
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            socket.ReceiveFrom(buffer, ref from);
        }

        return count;
    }

    private static Socket DatagramSocketTo(Running server)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Connect(new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
        return client;
    }

    private static async Task<string> AskAsync(Running server, string question)
    {
        DatagramAnswer answer = await DatagramClient.AskAsync(
            server.Endpoint, Encoding.UTF8.GetBytes(question), _timeout, RetrySchedule.Default, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(answer.Bytes);
    }
}
