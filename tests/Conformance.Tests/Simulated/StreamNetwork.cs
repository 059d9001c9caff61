using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A server of one service and its clients, over the simulated network or over the kernel's: one scenario runs on both.</summary>
internal abstract class StreamNetwork : IAsyncDisposable
{
    private const string Simulated = "simulated";

    /// <summary>The simulated network, and the models whose lanes carry many connections.</summary>
    public static TheoryData<string> All => [Simulated, .. Models.Many];

    public bool IsSimulated => this is SimulatedStreams;

    public abstract LedgerSnapshot Counts { get; }

    public static async Task<StreamNetwork> StartAsync(string name, Service service) =>
        name == Simulated ? new SimulatedStreams(service) : new KernelStreams(await Running.StartAsync(service, model: name));

    /// <summary>A client that reads nothing.</summary>
    public abstract StreamNetworkClient Connect();

    /// <summary>Begins to drain.</summary>
    public abstract void Drain();

    /// <summary>Lets things happen until something is true; fails if it never is.</summary>
    public abstract void Until(Func<bool> condition, string what);

    public abstract ValueTask DisposeAsync();

    private sealed class SimulatedStreams : StreamNetwork
    {
        private readonly SimulatedNetwork _network = new(7);
        private readonly SimulatedListener _listener;
        private ushort _port = 50_000;

        public SimulatedStreams(Service service) => _listener = _network.ListenStream(_network.Host("server").At(7000), service);

        public override LedgerSnapshot Counts => _listener.Ledger.Read();

        public override StreamNetworkClient Connect()
        {
            SimulatedClient client = _network.ConnectStream(_network.Host("client").At(_port++), _network.Host("server").At(7000));
            client.StopReading();
            return new StreamNetworkClient(client.Send, client.Reset);
        }

        public override void Drain() => _listener.Drain(TimeSpan.FromSeconds(60));

        public override void Until(Func<bool> condition, string what)
        {
            TimeSpan last = _network.Now + TimeSpan.FromSeconds(20);
            while (!condition())
            {
                Assert.True(_network.Now < last, $"not within 20 simulated seconds: {what}");
                _network.Run(_network.Now + TimeSpan.FromMilliseconds(1));
            }
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class KernelStreams(Running running) : StreamNetwork
    {
        private readonly List<Peer> _peers = [];

        public override LedgerSnapshot Counts => running.Counts;

        public override StreamNetworkClient Connect()
        {
            Peer peer = running.Connect();
            _peers.Add(peer);
            return new StreamNetworkClient(peer.Send, peer.Reset);
        }

        public override void Drain() => _ = running.Server.DrainAsync(TimeSpan.FromSeconds(60));

        public override void Until(Func<bool> condition, string what) => Peer.Eventually(condition, what);

        public override ValueTask DisposeAsync()
        {
            _peers.ForEach(static peer => peer.Dispose());
            return running.DisposeAsync();
        }
    }
}
