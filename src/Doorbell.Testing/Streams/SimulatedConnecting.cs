using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>A connection that a served handler has asked for, from its first SYN until it is connected or has failed.</summary>
internal sealed class SimulatedConnecting : IHandshakeClient, IScheduled
{
    private const int TimeIsUp = 0;
    private const int Cancelled = 1;

    private readonly SimulatedNetwork _network;
    private readonly SimulatedListener _listener;
    private readonly ConnectRequest _request;
    private PeerAddress _from;
    private PeerAddress _to;
    private Handshake? _handshake;

    public SimulatedConnecting(SimulatedNetwork network, SimulatedListener listener, ConnectRequest request)
    {
        (_network, _listener, _request) = (network, listener, request);
        network.At(network.Now + request.Timeout, this, TimeIsUp);
        request.RingWhenCancelled(new LaneBell(() => _network.At(_network.Now, this, Cancelled)));
    }

    public bool IsOver { get; private set; }

    /// <summary>Sends the first SYN; fails at once if no host has the name.</summary>
    public void Begin(PeerAddress from)
    {
        if (!_network.TryResolve(_request.Endpoint, out _to))
        {
            Fail("EAI_NONAME", "no host has this name or address");
            return;
        }

        if (!_request.Admits(_to))
        {
            Fail("EACCES", "the address is not among those that may be connected");
            return;
        }

        _from = from;
        _handshake = new Handshake(_network, _from, _to, this);
        _handshake.Begin();
    }

    public void Connected()
    {
        IsOver = true;
        StreamEnd end = _handshake!.NewClientEnd();
        _listener.Connected(this, _request, end, _from, _to);
        _handshake.There.Open();
    }

    public void Fail(ConnectionFailure why)
    {
        if (why == ConnectionFailure.Refused)
        {
            Fail("ECONNREFUSED", "connection refused");
        }
        else
        {
            Fail("ETIMEDOUT", "connection timed out");
        }
    }

    /// <summary>The drain is over.</summary>
    public void Abort() => Fail("ECANCELED", "the drain is over");

    void IScheduled.Happen(int what)
    {
        if (what == Cancelled)
        {
            Fail("ECANCELED", "given up before it was connected");
        }
        else
        {
            Fail("ETIMEDOUT", $"no answer within {_request.Timeout.TotalSeconds:0.###} s");
        }
    }

    private void Fail(string error, string what)
    {
        if (!IsOver)
        {
            IsOver = true;
            _listener.NotConnected(this, _request, new ConnectFailure(error, $"connect {_request.Endpoint}: {what} ({error})"));
        }
    }
}
