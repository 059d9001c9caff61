using System.Buffers.Binary;
using System.Text;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Datagrams on the simulated network have the fates that their link's options say.</summary>
public sealed class DatagramTests
{
    private const int Many = 5_000;
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 50_000);

    [Fact]
    public void An_unchanged_service_answers()
    {
        SimulatedNetwork network = new(1);
        SimulatedDatagramServer server = network.BindDatagram(_server, ClassicServices.CapitalizeAscii);
        string heard = "";
        SimulatedDatagramSocket client = network.BindDatagram(_client, (bytes, from, now) =>
        {
            Assert.Equal(_server, from);
            Assert.InRange(now, TimeSpan.FromMicroseconds(200), TimeSpan.FromMilliseconds(4));
            heard += Encoding.UTF8.GetString(bytes);
        });
        client.Send(_server, "hello"u8);
        network.RunUntilIdle();
        Assert.Equal("HELLO", heard);
        Assert.Equal(1, server.Ledger.Read().DatagramsReceived);
        Assert.Equal(1, server.Ledger.Read().DatagramsSent);
        Assert.Null(server.Fault);
    }

    [Fact]
    public void What_the_link_counts_as_delivered_arrives_and_nothing_else()
    {
        LinkOptions bad = new() { Loss = 0.3, Duplicate = 0.1, Corrupt = 0.1, Delay = TimeSpan.FromMilliseconds(5) };
        (List<int> arrived, LinkCounts counts) = SendMany(3, bad);
        Assert.Equal(counts.Delivered, arrived.Count);
        Assert.InRange(counts.DroppedBy(LinkDrop.Loss), Many * 28 / 100, Many * 32 / 100);
        Assert.InRange(counts.Duplicated, Many * 6 / 100, Many * 8 / 100);
        Assert.InRange(counts.Corrupted, Many * 6 / 100, Many * 8 / 100);
        Assert.Contains(-1, arrived);
    }

    [Fact]
    public void What_is_reordered_arrives_all_the_same()
    {
        (List<int> arrived, LinkCounts counts) = SendMany(3, new LinkOptions { Reorder = 0.1 });
        Assert.InRange(counts.Reordered, Many * 8 / 100, Many * 12 / 100);
        Assert.NotEqual(Enumerable.Range(0, Many), arrived);
        Assert.Equal(Enumerable.Range(0, Many), arrived.Order());
    }

    [Fact]
    public void A_perfect_link_loses_doubles_and_reorders_nothing()
    {
        (List<int> arrived, _) = SendMany(4, LinkOptions.Perfect);
        Assert.Equal(Enumerable.Range(0, Many), arrived);
    }

    [Fact]
    public void The_same_seed_has_the_same_fates_and_another_seed_others()
    {
        LinkOptions bad = new() { Loss = 0.3, Duplicate = 0.1 };
        Assert.Equal(SendMany(5, bad).Arrived, SendMany(5, bad).Arrived);
        Assert.NotEqual(SendMany(5, bad).Arrived, SendMany(6, bad).Arrived);
    }

    [Fact]
    public void A_link_of_a_given_seed_has_the_fates_that_the_same_link_has_elsewhere()
    {
        LinkOptions bad = LinkProfiles.LossyWan.Up;
        SimulatedNetwork network = new(6) { DefaultLink = bad };
        List<TimeSpan> arrived = [];
        List<TimeSpan> expected = [];
        network.BindDatagram(_server, (_, _, now) => arrived.Add(now));
        SimulatedDatagramSocket client = network.BindDatagram(_client, static (_, _, _) => { });
        network.Link(network.Host(_client), network.Host(_server)).Seed = 77;
        Link same = new(bad, seed: 77);
        for (int i = 0; i < Many; i++)
        {
            client.Send(_server, "datagram"u8);
            LinkFate fate = same.Next(network.Now, "datagram".Length);
            expected.AddRange(fate.IsDropped ? [] : fate.CopyArrivesAt is { } copy ? [fate.ArrivesAt, copy] : [fate.ArrivesAt]);
            network.Run(network.Now + TimeSpan.FromMilliseconds(1));
        }

        network.RunUntilIdle();
        Assert.Equal(expected.Order(), arrived);
    }

    [Fact]
    public void What_others_send_changes_no_fate_on_a_link_of_ones_own()
    {
        LinkOptions bad = new() { Loss = 0.3, Duplicate = 0.1 };
        static void Chatter(SimulatedNetwork network)
        {
            SimulatedDatagramSocket other = network.BindDatagram(network.Host("other").At(1), static (_, _, _) => { });
            for (int i = 0; i < 100; i++)
            {
                other.Send(_server, "chatter"u8);
                other.Send(_client, "chatter"u8);
            }
        }

        Assert.Equal(SendMany(5, bad).Arrived, SendMany(5, bad, Chatter).Arrived.Where(static number => number >= 0));
    }

    [Fact]
    public void A_link_has_options_of_its_own_in_each_direction_and_they_change_during_the_run()
    {
        SimulatedNetwork network = new(7);
        SimulatedHost server = network.Host(_server);
        SimulatedHost client = network.Host(_client);
        int answers = 0;
        SimulatedDatagramServer echo = network.BindDatagram(_server, ClassicServices.Echo);
        SimulatedDatagramSocket socket = network.BindDatagram(_client, (_, _, _) => answers++);

        network.Link(server, client).Options = new LinkOptions { Loss = 1 };
        socket.Send(_server, "only the answer is lost"u8);
        network.RunUntilIdle();
        Assert.Equal((1, 0), (echo.Ledger.Read().DatagramsReceived, answers));

        network.Link(server, client).Options = new LinkOptions { Mtu = 100 };
        socket.Send(_server, new byte[73]);
        socket.Send(_server, new byte[72]);
        network.RunUntilIdle();
        Assert.Equal((3, 1), (echo.Ledger.Read().DatagramsReceived, answers));

        network.Link(server, client).Options = null;
        network.DefaultLink = new LinkOptions { Delay = TimeSpan.FromSeconds(3) };
        TimeSpan sent = network.Now;
        socket.Send(_server, "slowly"u8);
        network.RunUntilIdle();
        Assert.Equal((2, TimeSpan.FromSeconds(6)), (answers, network.Now - sent));
    }

    [Fact]
    public void Hosts_that_are_partitioned_do_not_hear_each_other_until_it_is_healed()
    {
        SimulatedNetwork network = new(8);
        SimulatedHost one = network.Host("one");
        SimulatedHost two = network.Host("two");
        SimulatedHost three = network.Host("three");
        List<string> heard = [];
        SimulatedDatagramSocket[] sockets = [.. new[] { one, two, three }.Select(host => network.BindDatagram(host.At(9), (bytes, _, _) =>
            heard.Add($"{host}: {Encoding.UTF8.GetString(bytes)}")))];

        sockets[0].Send(two.At(9), "on its way"u8);
        network.Partition(two, one);
        sockets[0].Send(two.At(9), "lost"u8);
        sockets[1].Send(one.At(9), "lost"u8);
        sockets[0].Send(three.At(9), "a"u8);
        network.RunUntilIdle();
        Assert.Equal(["three: a"], heard);

        network.Heal(one, two);
        sockets[0].Send(two.At(9), "b"u8);
        network.RunUntilIdle();
        Assert.Equal(["three: a", "two: b"], heard);
        Assert.Same(one, network.Host("one"));
        Assert.Same(one, network.Host(one.At(77)));
    }

    [Fact]
    public void A_socket_hears_nothing_once_closed_and_its_address_is_free_again()
    {
        SimulatedNetwork network = new(9);
        SimulatedDatagramSocket client = network.BindDatagram(_client, static (_, _, _) => { });
        SimulatedDatagramServer first = network.BindDatagram(_server, ClassicServices.Discard);
        Assert.Throws<ArgumentException>(() => network.BindDatagram(_server, ClassicServices.Discard));
        first.Close();
        client.Send(_server, "nobody"u8);
        network.RunUntilIdle();
        SimulatedDatagramServer second = network.BindDatagram(_server, ClassicServices.Discard);
        client.Send(_server, "somebody"u8);
        network.RunUntilIdle();
        Assert.Equal((0, 1), (first.Ledger.Read().DatagramsReceived, second.Ledger.Read().DatagramsReceived));
    }

    [Fact]
    public void An_alarm_comes_when_it_was_last_set_for()
    {
        SimulatedNetwork network = new(10);
        List<TimeSpan> rung = [];
        SimulatedDatagramSocket socket = network.BindDatagram(_client, static (_, _, _) => { });
        socket.AlarmDue = () => rung.Add(network.Now);
        socket.Alarm = TimeSpan.FromSeconds(5);
        socket.Alarm = TimeSpan.FromSeconds(3);
        network.Run(TimeSpan.FromSeconds(2));
        socket.Alarm = TimeSpan.FromSeconds(4);
        network.Run(TimeSpan.FromSeconds(10));
        Assert.Null(socket.Alarm);
        socket.Alarm = TimeSpan.FromSeconds(1); // passed: at once
        network.Run(TimeSpan.FromSeconds(11));
        socket.Alarm = TimeSpan.FromSeconds(12);
        socket.Alarm = null;
        network.RunUntilIdle();
        Assert.Equal([TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(10)], rung);
    }

    /// <summary>Sends the numbers from 0 on, one a millisecond: which arrived, as they came, and -1 for what is none of them.</summary>
    private static (List<int> Arrived, LinkCounts Counts) SendMany(ulong seed, LinkOptions options, Action<SimulatedNetwork>? also = null)
    {
        SimulatedNetwork network = new(seed) { DefaultLink = options };
        List<int> arrived = [];
        network.BindDatagram(_server, (bytes, _, _) =>
        {
            int number = bytes.Length == 4 ? BinaryPrimitives.ReadInt32BigEndian(bytes) : -1;
            arrived.Add(number is >= 0 and < Many ? number : -1);
        });
        SimulatedDatagramSocket client = network.BindDatagram(_client, static (_, _, _) => { });
        also?.Invoke(network);
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < Many; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, i);
            client.Send(_server, bytes);
            network.Run(network.Now + TimeSpan.FromMilliseconds(1));
        }

        network.RunUntilIdle();
        return (arrived, network.Link(network.Host(_client), network.Host(_server)).ReadCounts());
    }
}
