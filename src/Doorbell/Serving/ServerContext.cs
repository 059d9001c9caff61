using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>All that an engine needs to know: what to serve, how, and where to count, log and stop.</summary>
/// <param name="Options">What to serve, within which limits.</param>
/// <param name="Model">How.</param>
/// <param name="Admission">Who may come in, over all doors.</param>
/// <param name="Ledger">Where to count.</param>
/// <param name="Shutdown">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal sealed record ServerContext(
    ServerOptions Options, ServerModel Model, Admission Admission, Ledger Ledger, Shutdown Shutdown, ILogger Log)
    : LaneContext(Ledger, Shutdown, Log)
{
    /// <summary>
    /// The handler of a datagram socket at this door. If its handler can't be made, nobody serves the socket: that is logged and ends the
    /// server.
    /// </summary>
    public DatagramHandler NewDatagramHandler(Door door)
    {
        try
        {
            return door.Service.NewDatagramHandler!(new DoorSocketInfo(door.Endpoint, default));
        }
        catch (Exception fault)
        {
            ServerLog.DatagramHandlerNotMade(Log, door.Endpoint, fault.GetType().Name, ServerLog.TextOf(fault), fault);
            throw;
        }
    }

    /// <summary>What makes the layers of a connection at a door, the first one next to the wire.</summary>
    public IReadOnlyList<Func<ConnectionInfo, StreamLayer>> LayersAt(Door door) => Admission.DecidesBehindLayers(door)
        ? [.. door.Layers, connection => new PeerAdmissionLayer(connection, peer => AdmitsBehindLayers(door, peer), Admission.Refusal)]
        : door.Layers;

    /// <summary>Whether a door takes datagrams of a peer; those of one that it denies are counted as lost.</summary>
    /// <param name="door">Where they came in.</param>
    /// <param name="peer">Who sent them.</param>
    /// <param name="datagrams">How many.</param>
    public bool Admits(Door door, PeerAddress peer, int datagrams)
    {
        if (Admission.Decide(peer, door) == AdmissionDecision.Admitted)
        {
            return true;
        }

        Ledger.DatagramsDropped(DatagramDrop.Denied, datagrams);
        return false;
    }

    /// <summary>What all connections hold for output and input.</summary>
    public required ServerMemory Memory { get; init; }

    /// <summary>At the limit: said once a second.</summary>
    private LogThrottle MadeRoom { get; } = new();

    /// <inheritdoc cref="Admission.AskForRoom(object, Door?, int, TimeSpan)"/>
    public void AskForRoom(object lane, Door? door, int wanted, TimeSpan now)
    {
        if (MadeRoom.MayLog())
        {
            ServerLog.MakesRoom(Log, door is null ? "MaxConnections" : $"MaxConnections of {door.Endpoint}");
        }

        Admission.AskForRoom(lane, door, wanted, now);
    }

    /// <inheritdoc cref="Admission.AskForRoom(object, SemaphoreSlim, int, TimeSpan)"/>
    public void AskForRoom(object lane, SemaphoreSlim freeLanes, int wanted, TimeSpan now)
    {
        if (MadeRoom.MayLog())
        {
            ServerLog.MakesRoom(Log, "As many connections as the model serves at once");
        }

        Admission.AskForRoom(lane, freeLanes, wanted, now);
    }

    /// <summary>
    /// Asks for room for one connection, and lets the lane be called when there may be some; unless there is by now, so that it is called
    /// at once.
    /// </summary>
    /// <param name="lane">Whose connection it is.</param>
    /// <param name="full">Its door, if that is full; null if there is no lease.</param>
    /// <param name="whenRoom">Called once.</param>
    public void AskForRoom(object lane, Door? full, Action whenRoom)
    {
        if (full is null && Admission.TryAcquire(whenRoom))
        {
            Admission.Release();
            whenRoom();
        }
        else if (full is not null && Admission.TryAcquireAt(full, whenRoom))
        {
            Admission.ReleaseAt(full);
            whenRoom();
        }
        else
        {
            AskForRoom(lane, full, wanted: 1, MonotonicClock.Now);
        }
    }

    /// <summary>Counts a connection that the admission has refused, and logs it.</summary>
    public void CountRefusal(Door door, PeerAddress peer, AdmissionDecision decision)
    {
        if (decision == AdmissionDecision.Denied)
        {
            Ledger.ConnectionDenied();
        }
        else
        {
            Ledger.ConnectionRefused();
        }

        ServerLog.Refused(Log, door.Endpoint, peer, decision switch
        {
            AdmissionDecision.Full => "MaxConnections are open",
            AdmissionDecision.TooManyFromAddress => "its address has MaxConnectionsPerAddress open",
            _ => "the door's Access denies its address",
        });
    }

    /// <summary>Whether a connection may go on whose layers are open; one that may not is counted and logged.</summary>
    private bool AdmitsBehindLayers(Door door, PeerAddress peer)
    {
        AdmissionDecision decision = Admission.DecideBehindLayers(peer, door);
        if (decision == AdmissionDecision.Admitted)
        {
            return true;
        }

        CountRefusal(door, peer, decision);
        Ledger.RefusedWhenOpen();
        return false;
    }

    /// <summary>Which lanes can serve.</summary>
    public LaneStarts Starts { get; } = new();

    /// <summary>What the system is short of at one listener it is usually short of at every other: said once for all of them.</summary>
    public LogThrottle Shortages { get; } = new();
}
