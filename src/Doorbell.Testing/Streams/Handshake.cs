namespace Doorbell.Testing;

/// <summary>
/// A client's handshake: its SYN is sent again until it is answered, refused or given up. What Linux does where the backlog is full is
/// to drop the SYN, so that the client waits (tcp(7)).
/// </summary>
internal sealed class Handshake : IScheduled
{
    private readonly SimulatedNetwork _network;
    private readonly PeerAddress _from;
    private readonly PeerAddress _to;
    private readonly SimulatedLink _up;
    private readonly SimulatedLink _down;
    private readonly StreamDirection _back;
    private readonly StreamEnd _server;
    private readonly IHandshakeClient _client;
    private int _sent;
    private TimeSpan _sentAt;

    public Handshake(SimulatedNetwork network, PeerAddress from, PeerAddress to, IHandshakeClient? client = null)
    {
        (_network, _from, _to) = (network, from, to);
        _up = network.Link(network.Host(from), network.Host(to));
        _down = network.Link(network.Host(to), network.Host(from));
        There = new StreamDirection(network, _up, network.Fork());
        _back = new StreamDirection(network, _down, network.Fork());
        _server = new StreamEnd(There, _back);
        _client = client ?? new SimulatedClient(network, _back, There);
    }

    private enum News
    {
        SynArrives,
        AnswerArrives,
        RefusalArrives,
        NoAnswer,
    }

    /// <summary>From the client to the server.</summary>
    public StreamDirection There { get; }

    /// <summary>The client, if it is a scripted one.</summary>
    public SimulatedClient Client => (SimulatedClient)_client;

    /// <summary>The client's end of the connection, if it is no scripted one.</summary>
    public StreamEnd NewClientEnd() => new(_back, There);

    public void Begin()
    {
        _sent++;
        _sentAt = _network.Now;
        Travel(_up, News.SynArrives);
    }

    void IScheduled.Happen(int what)
    {
        if (_client.IsOver)
        {
            return;
        }

        News news = (News)what;
        _network.Trace(what);
        if (news == News.NoAnswer)
        {
            SendAgain();
        }
        else if ((news == News.SynArrives ? _up : _down).IsCut)
        {
            WaitToSendAgain();
        }
        else if (news == News.SynArrives)
        {
            Answer();
        }
        else if (news == News.AnswerArrives)
        {
            _client.Connected();
        }
        else
        {
            _client.Fail(ConnectionFailure.Refused);
        }
    }

    private void Answer()
    {
        SimulatedListener? listener = _network.ListenerAt(_to);
        if (listener is null)
        {
            Travel(_down, News.RefusalArrives);
        }
        else if (listener.TakesSyn())
        {
            There.OnOpen = () => listener.Complete(_from, _server);
            Travel(_down, News.AnswerArrives);
        }
        else
        {
            WaitToSendAgain();
        }
    }

    private void Travel(SimulatedLink link, News news)
    {
        if (link.TrySend(0, out TimeSpan arrivesAt))
        {
            _network.At(arrivesAt, this, (int)news);
        }
        else
        {
            WaitToSendAgain();
        }
    }

    private void WaitToSendAgain()
    {
        TimeSpan at = _sentAt + Retransmission.OfSyn(_sent);
        _network.At(at > _network.Now ? at : _network.Now, this, (int)News.NoAnswer);
    }

    private void SendAgain()
    {
        if (_sent > Retransmission.MaxOfSyn)
        {
            _client.Fail(ConnectionFailure.TimedOut);
        }
        else
        {
            Begin();
        }
    }
}
