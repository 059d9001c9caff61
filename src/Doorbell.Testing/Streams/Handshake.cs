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
    private readonly StreamDirection _there;
    private readonly StreamEnd _server;
    private int _sent;
    private TimeSpan _sentAt;

    public Handshake(SimulatedNetwork network, PeerAddress from, PeerAddress to)
    {
        (_network, _from, _to) = (network, from, to);
        _up = network.Link(network.Host(from), network.Host(to));
        _down = network.Link(network.Host(to), network.Host(from));
        _there = new StreamDirection(network, _up, network.Fork());
        StreamDirection back = new(network, _down, network.Fork());
        _server = new StreamEnd(_there, back);
        Client = new SimulatedClient(network, back, _there);
    }

    private enum News
    {
        SynArrives,
        AnswerArrives,
        RefusalArrives,
        NoAnswer,
    }

    public SimulatedClient Client { get; }

    public void Begin()
    {
        _sent++;
        _sentAt = _network.Now;
        Travel(_up, News.SynArrives);
    }

    void IScheduled.Happen(int what)
    {
        if (Client.IsOver)
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
            Client.Connected();
        }
        else
        {
            Client.Fail(ConnectionFailure.Refused);
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
            _there.OnOpen = () => listener.Complete(_from, _server);
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
            Client.Fail(ConnectionFailure.TimedOut);
        }
        else
        {
            Begin();
        }
    }
}
