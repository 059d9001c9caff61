using System.Net;
using System.Net.Sockets;
using Doorbell.Lanes.Datagrams;
using Doorbell.SocketOptions;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>Batches, and what the kernel joins and cuts: the service sees single datagrams, and every answer comes once.</summary>
public sealed class DatagramBatchTests
{
    public static TheoryData<string> Here => [.. Models.Here];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_train_is_answered_as_so_many_datagrams_in_order(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp", model: model);
        using Trains client = new(server);
        for (int round = 0; round < 20; round++)
        {
            client.Send(Trains.Numbered(50, 32) + "the end", 32);
            Assert.Equal([.. Trains.NumberedAnswers(50, 32), "THE END"], client.Receive(51));
        }

        await server.Server.DrainAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(20 * 51, server.Counts.DatagramsReceived);
        Assert.Equal(20 * 51, server.Counts.DatagramsSent);
        Assert.Equal(20 * 51, server.Counts.Requests);
        Assert.Equal(20 * ((50 * 32) + 7), server.Counts.BytesSent);
        Assert.Equal(0, server.Counts.Errors);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Many_peers_and_all_sizes_in_a_batch_each_gets_its_own_answers_in_order(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp", model: model);
        Random random = new(7);
        Trains[] clients = [.. Enumerable.Range(0, 20).Select(_ => new Trains(server))];
        for (int round = 0; round < 30; round++)
        {
            List<string>[] asked = [.. clients.Select(static _ => new List<string>())];
            for (int i = 0; i < 60; i++)
            {
                int who = random.Next(4) == 0 ? random.Next(clients.Length) : i / 3;
                string text = new((char)('a' + (i % 26)), random.Next(5) switch { 0 => 0, 1 => random.Next(1400), _ => 32 });
                asked[who].Add(text.ToUpperInvariant());
                clients[who].Socket.Send(System.Text.Encoding.ASCII.GetBytes(text));
            }

            for (int who = 0; who < clients.Length; who++)
            {
                Assert.Equal(asked[who], clients[who].Receive(asked[who].Count));
            }
        }

        Assert.Equal(0, server.Counts.Errors);
        Array.ForEach(clients, static client => client.Dispose());
    }

    [Fact]
    public async Task Of_a_train_what_is_too_long_is_counted_and_what_faults_costs_itself_alone()
    {
        Service brittle = new("brittle")
        {
            NewDatagramHandler = static _ => new Brittle(),
            DatagramLimits = DatagramLimits.Default with { MaxDatagramBytes = 100 },
        };
        await using Running server = await Running.StartAsync(brittle, "udp", model: "iterative");
        using Trains client = new(server);
        client.Send(new string('l', 350), 150);
        client.Send("aabbxxccxxdde", 2);
        Assert.Equal([new string('l', 50), "aa", "bb", "cc", "dd", "e"], client.Receive(6));
        Peer.Eventually(() => server.Counts.DatagramFaults == 2, "the faults are counted");
        Assert.Equal(2, server.Counts.Dropped(DatagramDrop.Truncated));
        Assert.Equal(8, server.Counts.DatagramsReceived);
    }

    [Theory]
    [InlineData("SO_NO_CHECK=1")]
    [InlineData("UDP_SEGMENT=0")]
    [InlineData("UDP_GRO=0")]
    public async Task A_socket_that_refuses_to_cut_or_to_join_answers_everything_once_all_the_same(string option)
    {
        // Without checksums the kernel refuses to cut what is sent (EINVAL, udp_send_skb in net/ipv4/udp.c).
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", model: "iterative", change: Asking(option));
        using Trains client = new(server);
        for (int round = 0; round < 5; round++)
        {
            client.Send(Trains.Numbered(60, 40), 40);
            Assert.Equal(Trains.NumberedAnswers(60, 40), client.Receive(60));
        }

        await server.Server.DrainAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(300, server.Counts.DatagramsSent);
        Assert.Equal(0, server.Counts.Errors);
        Assert.Equal(0, client.Socket.Available);
    }

    [Fact]
    public async Task An_error_that_a_gone_client_causes_costs_no_answer_of_another()
    {
        // With IP_RECVERR the kernel reports each refused answer as an error of the next call, and queues it too.
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", model: "iterative", change: Asking("IP_RECVERR=1"));
        using Trains client = new(server);
        for (int round = 0; round < 100; round++)
        {
            for (int i = 0; i < 5; i++)
            {
                using Trains gone = new(server);
                gone.Socket.Send("gone"u8);
            }

            client.Send(Trains.Numbered(10, 8), 8);
            Assert.Equal(Trains.NumberedAnswers(10, 8), client.Receive(10));
        }

        Assert.Equal(0, server.Counts.Errors);
        Assert.False(server.Server.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(9000)]
    public async Task What_the_kernel_drops_at_a_full_receive_buffer_is_counted_to_the_last_one(int bytes)
    {
        using ManualResetEventSlim mayGoOn = new();
        Service slow = new("slow") { NewDatagramHandler = _ => new Waiting(mayGoOn) };
        await using Running server = await Running.StartAsync(slow, "udp", model: "iterative", change: Asking("SO_RCVBUF=50000"));
        using Trains client = new(server);
        byte[] datagram = new byte[bytes];
        for (int i = 0; i < 2000; i++)
        {
            client.Socket.Send(datagram);
        }

        mayGoOn.Set();
        Peer.Eventually(
            () => server.Counts is { } counts && counts.DatagramsReceived + counts.Dropped(DatagramDrop.ReceiveBufferFull) == 2000,
            "received and dropped are what was sent");
        Assert.True(server.Counts.Dropped(DatagramDrop.ReceiveBufferFull) > 0);
        Assert.Equal(server.Counts.Dropped(DatagramDrop.ReceiveBufferFull), server.Counts.Errors);
    }

    [Fact]
    public async Task The_kernels_count_of_drops_may_wrap_around_and_be_told_late()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp", model: "iterative");
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Ledger ledger = new();
        OverflowCount count = new(
            new DoorSocket(socket, server.Server.Doors[0]), ledger, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        foreach (uint total in new uint[] { 5, 3, 5, int.MaxValue, uint.MaxValue - 1, uint.MaxValue - 9, 4, uint.MaxValue, 4 })
        {
            count.Update(total, TimeSpan.Zero);
        }

        Assert.Equal(uint.MaxValue + 5L, ledger.Read().Dropped(DatagramDrop.ReceiveBufferFull));
    }

    [Fact]
    public async Task A_hundred_thousand_datagrams_allocate_nothing()
    {
        Counting handler = new();

        // A client that never rests would be left out now and then.
        DatagramLimits unguarded = DatagramLimits.Default with { LoopGuardAnswers = 0 };
        Service counted = new("counted") { NewDatagramHandler = _ => handler, DatagramLimits = unguarded };
        await using Running server = await Running.StartAsync(counted, "udp", model: "iterative");
        using Trains client = new(server);
        string train = Trains.Numbered(50, 16);
        for (int round = 0; round < 2200; round++)
        {
            client.Send(train, 16);
            client.Receive(50);
            if (round % 10 == 0)
            {
                client.Socket.Send("alone"u8);
                client.Receive();
            }
        }

        Assert.True(handler.Datagrams > 110_000);
        Assert.Equal(0, handler.LeastAllocated);
    }

    private static Func<ServerOptions, ServerOptions> Asking(string option) =>
        options => options with { SocketOptions = [SocketOptionSetting.Parse(option)] };

    private sealed class Brittle : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(datagram.Bytes.SequenceEqual("xx"u8) ? throw new FormatException("bad") : datagram.Bytes);
        }
    }

    private sealed class Waiting(ManualResetEventSlim mayGoOn) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => mayGoOn.Wait();
    }

    /// <summary>
    /// Echoes, and tells the least that its thread, the lane, has allocated over ten thousand datagrams. The runtime allocates on that
    /// thread too while it compiles a method anew, so one such stretch says nothing.
    /// </summary>
    private sealed class Counting : DatagramHandler
    {
        private const int Stretch = 10_000;
        private long _before;
        private long _least = long.MaxValue;
        private int _datagrams;

        public int Datagrams => Volatile.Read(ref _datagrams);

        public long LeastAllocated => Volatile.Read(ref _least);

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            int datagrams = Interlocked.Increment(ref _datagrams);
            if (datagrams % Stretch == 0)
            {
                Volatile.Write(ref _least, datagrams == Stretch ? long.MaxValue : Math.Min(_least, allocated - _before));
                _before = allocated;
            }

            turn.Reply(datagram.Bytes);
        }
    }
}
