using System.Globalization;
using System.Text;
using Doorbell.Coap;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>
/// What observing promises (RFC 7641 section 1.3), at 30% loss, 10% duplication and reordering: a client never sees the states go back, one
/// that stays sees the last state in the end, and nothing is left when all have gone. Some clients go in silence, some end it.
/// </summary>
public sealed class CoapObserveTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 5683);
    private static readonly LinkOptions _bad = new()
    {
        Loss = 0.3, Duplicate = 0.1, Reorder = 0.1, Delay = TimeSpan.FromMilliseconds(5), Jitter = TimeSpan.FromMilliseconds(4),
    };

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void States_never_go_back_and_the_last_one_arrives(int confirmEvery) =>
        Simulation.RunSeeds(25, network => new World(network, confirmEvery).RunAndCheck());

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        static ulong Trace(ulong seed)
        {
            SimulatedNetwork network = new(seed);
            new World(network, 5).RunAndCheck();
            return network.TraceHash;
        }

        Assert.Equal(Trace(7), Trace(7));
        Assert.NotEqual(Trace(7), Trace(8));
    }

    private sealed class World
    {
        private const int Changes = 60;
        private readonly SimulatedNetwork _network;
        private readonly CoapChanges _changes = new();
        private readonly CoapServer _coap;
        private readonly Watcher[] _watchers;
        private int _state;

        public World(SimulatedNetwork network, int confirmEvery)
        {
            _network = network;
            network.DefaultLink = _bad;
            _coap = new CoapServer(
                CoapServerLimits.Default with { MaxAmplification = 0 },
                new SimulatedSocketInfo(Endpoint.Parse("udp://127.0.0.1:5683"), network.Random));
            CoapResource state = new((_, body) =>
            {
                Encoding.UTF8.GetBytes(_state.ToString(CultureInfo.InvariantCulture), body);
                return CoapCode.Content;
            }) { HasEffect = false, Changes = _changes, ConfirmEvery = confirmEvery };
            CoapResource large = new((_, body) =>
            {
                Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{_state:D8}", 300)), body);
                return CoapCode.Content;
            }) { HasEffect = false, Changes = _changes, ConfirmEvery = confirmEvery };
            _coap.Add("state", state);
            _coap.Add("large", large);
            network.BindDatagram(_server, new Service("coap") { NewDatagramHandler = _ => new CoapHandler(_coap) });
            _watchers = [.. Enumerable.Range(0, 8).Select(number => new Watcher(network, number))];
        }

        public void RunAndCheck()
        {
            foreach (Watcher watcher in _watchers)
            {
                watcher.Begin();
            }

            ChangeNext();
            TimeSpan settled = TimeSpan.FromMinutes(30);
            _network.Run(_network.Now + settled);
            Assert.Equal(Changes, _state);
            foreach (Watcher watcher in _watchers)
            {
                watcher.CheckAndEnd(_state);
            }

            _network.Run(_network.Now + settled);
            Assert.Equal(0, _coap.Observations);
            Assert.Null(_coap.Deadline);
            Assert.All(_watchers, static watcher => Assert.True(watcher.IsAtRest));
        }

        private void ChangeNext()
        {
            _state++;
            _changes.Notify();
            if (_state < Changes)
            {
                _network.After(TimeSpan.FromMilliseconds(_network.Random.Next(3000)), ChangeNext);
            }
        }
    }

    /// <summary>A client that observes; the first two go without a word in the middle of it.</summary>
    private sealed class Watcher
    {
        private readonly SimulatedNetwork _network;
        private readonly int _number;
        private readonly CoapClient _client;
        private readonly SimulatedDatagramSocket _socket;
        private long _id;
        private int _seen;
        private bool _isGone;

        public Watcher(SimulatedNetwork network, int number)
        {
            _network = network;
            _number = number;
            SimulatedSocketInfo socket = new(Endpoint.From(Transport.Udp, _server.ToIPEndPoint()), _server, network.Random);
            _client = new CoapClient(CoapClientLimits.Default, socket);
            _socket = network.BindDatagram(PeerAddress.IPv4(0x0a010000 + (uint)number, 4000), Receive);
            _socket.AlarmDue = Ring;
        }

        public bool IsAtRest => _isGone || (_client.Requests == 0 && _client.Alarm is null);

        public void Begin()
        {
            CoapClientRequest request = new() { Method = CoapCode.Get, Path = _number % 2 == 0 ? "state" : "large", Observes = true };
            Assert.True(_client.TryAsk(request, _network.Now, out _id));
            Move();
            if (_number < 2)
            {
                _network.After(TimeSpan.FromSeconds(20), () => _isGone = true);
            }
        }

        public void CheckAndEnd(int state)
        {
            if (!_isGone)
            {
                Assert.Equal(state, _seen);
                _client.Cancel(_id, _network.Now);
                Move();
            }
        }

        private void Receive(ReadOnlySpan<byte> datagram, PeerAddress from, TimeSpan now)
        {
            if (!_isGone)
            {
                _client.Received(datagram, now);
                Move();
            }
        }

        private void Ring()
        {
            if (!_isGone)
            {
                _client.Tick(_network.Now);
                Move();
            }
        }

        private void Move()
        {
            while (_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
            {
                _socket.Send(_server, datagram);
            }

            _socket.Alarm = _client.Alarm;
            while (_client.TryTakeAnswer(out CoapClientResponse? answer))
            {
                if (answer.Failure == CoapFailure.NoAnswer)
                {
                    // Five datagrams were lost: whoever wants to know asks again.
                    Begin();
                    return;
                }

                Assert.True(answer.IsNotification, $"{answer.Failure} {answer.Code}");
                string text = Encoding.UTF8.GetString(answer.Body);
                int state = int.Parse(text[..Math.Min(8, text.Length)], CultureInfo.InvariantCulture);
                Assert.Equal(_number % 2 == 0 ? $"{state}" : string.Concat(Enumerable.Repeat($"{state:D8}", 300)), text);
                Assert.True(state >= _seen, $"{state} behind {_seen}");
                _seen = state;
            }
        }
    }
}
