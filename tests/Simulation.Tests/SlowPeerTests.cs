using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Peers that read or send slowly, or not at all.</summary>
public sealed class SlowPeerTests
{
    /// <summary>A client's first byte may take as long as any other.</summary>
    private static readonly Service _patient = ClassicServices.Echo with
    {
        StreamLimits = StreamLimits.Default with { FirstByteTimeout = Timeout.InfiniteTimeSpan },
    };

    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 50_000);
    private static readonly byte[] _letters = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("abcdefghij", 100)));
    private readonly SimulatedNetwork _network = new(21);

    [Fact]
    public void A_slow_reader_and_a_slow_writer_take_their_time()
    {
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo);
        SimulatedClient writer = _network.ConnectStream(_client, _server);
        writer.SendBytesPerSecond = 10;
        writer.Send(_letters);
        writer.End();
        SimulatedClient reader = _network.ConnectStream(_client, _server);
        reader.ReadBytesPerSecond = 10_000;
        byte[] much = [.. Enumerable.Repeat(_letters, 300).SelectMany(static letters => letters)];
        reader.Send(much);
        reader.End();
        _network.Run(TimeSpan.FromSeconds(15));
        Assert.InRange(writer.SentBytes, 148, 151);
        Assert.InRange(reader.Received.Length, 149_000, 151_000);
        Assert.True(listener.RentedBytes > 0, "the server holds nothing back for a slow reader");
        _network.RunUntilIdle();
        Assert.Equal(_letters, writer.Received.ToArray());
        Assert.Equal(much, reader.Received.ToArray());
        Assert.Equal(0, listener.RentedBytes);
    }

    [Fact]
    public void A_reader_slower_than_the_least_rate_is_reset()
    {
        StreamLimits limits = StreamLimits.Default with { MinDataRate = 1_000 };
        SimulatedListener listener = _network.ListenStream(_server, ClassicServices.Echo with { StreamLimits = limits });
        SimulatedClient slow = _network.ConnectStream(_client, _server);
        slow.ReadBytesPerSecond = 100;
        slow.Send(new byte[200_000]);
        SimulatedClient fast = _network.ConnectStream(_client, _server);
        fast.ReadBytesPerSecond = 100_000;
        fast.Send(new byte[200_000]);
        fast.End();
        _network.RunUntilIdle();
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.TooSlow));
        Assert.Equal(ConnectionFailure.Reset, slow.Failure);
        Assert.Equal(200_000, fast.Received.Length);
    }

    [Fact]
    public void A_stalled_peer_is_closed_when_idle_and_one_that_goes_on_is_served()
    {
        SimulatedListener listener = _network.ListenStream(_server, _patient);
        SimulatedClient stalls = _network.ConnectStream(_client, _server);
        SimulatedClient goesOn = _network.ConnectStream(_client, _server);
        foreach (SimulatedClient client in (SimulatedClient[])[stalls, goesOn])
        {
            _network.Run(_network.Now + TimeSpan.FromSeconds(1));
            client.StopReading();
            client.StopSending();
            client.Send("late"u8);
            client.End();
        }

        _network.Run(TimeSpan.FromMinutes(4));
        Assert.Equal(0, goesOn.SentBytes);
        goesOn.ResumeSending();
        goesOn.ResumeReading();
        _network.RunUntilIdle();
        Assert.Equal("late", Encoding.UTF8.GetString(goesOn.Received));
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.IdleTimeout));
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.Completed));
    }
}
