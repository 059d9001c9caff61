using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Both connections of one relay, stepped in an order that chance decides.</summary>
internal sealed class RelayedPair
{
    private readonly Random _random;
    private readonly int _seed;
    private InMemoryConnection? _upstream;

    public RelayedPair(int seed, RelayOptions options, params Endpoint[] upstreams)
        : this(seed, options, layers: null, upstreams)
    {
    }

    public RelayedPair(
        int seed, RelayOptions options, IReadOnlyList<Func<ConnectionInfo, StreamLayer>>? layers, params Endpoint[] upstreams)
    {
        _random = new Random(seed);
        _seed = seed;
        StreamHandler handler = Relay.To(upstreams, options).NewStreamHandler!(InMemoryConnection.Info);
        Client = new InMemoryConnection(handler, seed, ledger: Ledger, layers: layers);
    }

    public Ledger Ledger { get; } = new();

    public InMemoryConnection Client { get; }

    public InMemoryConnection Upstream => _upstream!;

    public ConnectRequest? TakeRequest() => Client.TryTakeConnect(out ConnectRequest? request) ? request : null;

    public bool Connect()
    {
        ConnectRequest? request = TakeRequest();
        while (request is null && Client.Step())
        {
            request = TakeRequest();
        }

        if (request is not null)
        {
            Connect(request);
        }

        return request is not null;
    }

    public void Connect(ConnectRequest request) => _upstream = new InMemoryConnection(request, _seed + 1, Ledger);

    /// <summary>Perhaps one of the peers reads no more, or little, for a while.</summary>
    public void Stall(Random random)
    {
        Client.LargestSend = random.Next(3) * 1000;
        if (_upstream is not null)
        {
            _upstream.LargestSend = random.Next(3) * 1000;
        }
    }

    public void Resume() => Client.LargestSend = Upstream.LargestSend = 64 * 1024;

    public void Step(int most)
    {
        for (int i = 0; i < most; i++)
        {
            if (_random.Next(2) == 0)
            {
                Client.Step();
            }
            else
            {
                _upstream?.Step();
            }
        }
    }

    public void Run()
    {
        bool client;
        bool upstream;
        do
        {
            client = Client.Step();
            upstream = _upstream?.Step() ?? false;
        }
        while (client || upstream);
    }
}
