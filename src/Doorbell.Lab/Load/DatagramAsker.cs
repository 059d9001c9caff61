using System.Net.Sockets;

namespace Doorbell.Lab.Load;

/// <summary>What became of an attempt to ask.</summary>
internal enum AskOutcome
{
    /// <summary>The question is on its way.</summary>
    Asked,

    /// <summary>The socket, or its peer, has no room now (EAGAIN): nothing was sent.</summary>
    NoRoom,

    /// <summary>The system refused it, and it has failed.</summary>
    Failed,
}

/// <summary>Asks over one datagram socket, which is connected. What its questions look like is its heirs' matter.</summary>
internal abstract class DatagramAsker(LoadState load, int asker)
{
    private string? _refusal;

    protected LoadState Load => load;

    protected int Asker => asker;

    /// <summary>How many questions it has taken.</summary>
    protected long Numbers { get; set; }

    /// <summary>Its socket. Another one forgets nothing of the questions.</summary>
    public Socket Socket { get; set; } = null!;

    /// <summary>Whether a late answer could be taken for that to another question: then the socket is to be replaced.</summary>
    public bool IsTainted { get; protected set; }

    public abstract int UnderWay { get; }

    public bool HasRoom => UnderWay < load.Options.Pipeline;

    /// <summary>Why the system would not send or receive; null if it would. Asked once.</summary>
    public string? TakeRefusal()
    {
        string? refusal = _refusal;
        _refusal = null;
        return refusal;
    }

    /// <param name="since">When the question was due.</param>
    /// <param name="now">The time.</param>
    public abstract AskOutcome Ask(long since, long now);

    /// <summary>A datagram has come.</summary>
    public abstract void Received(ReadOnlySpan<byte> datagram, long now);

    /// <summary>Gives up what has got no answer since then; all, if the time is over. Sends again what is to be sent again.</summary>
    public abstract void LookAround(long now, long latest, bool all);

    /// <summary>The socket can't be used now: what is under way has failed.</summary>
    public void Refused(string operation, SocketError error)
    {
        NetworkException refusal = NetworkException.From(operation, load.Options.Endpoint.ToString(), new SocketException((int)error));
        _refusal = refusal.Message;
        load.Tally.Failed(refusal.ErrnoName ?? error.ToString(), Math.Max(ForgetAll(), 1));
        IsTainted = true;
    }

    public void Replaced() => IsTainted = false;

    /// <summary>Forgets what is under way; how many questions that were.</summary>
    protected abstract int ForgetAll();

    protected AskOutcome Send(ReadOnlySpan<byte> datagram)
    {
        Socket.Send(datagram, SocketFlags.None, out SocketError error);
        switch (error)
        {
            case SocketError.Success:
                return AskOutcome.Asked;
            case SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable:
                return AskOutcome.NoRoom;
            default:
                Refused("send", error);
                return AskOutcome.Failed;
        }
    }
}
