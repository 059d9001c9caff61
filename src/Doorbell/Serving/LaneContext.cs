using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>What every lane needs, that of a server and that of a client alike.</summary>
/// <param name="Ledger">Where to count.</param>
/// <param name="Shutdown">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal record LaneContext(Ledger Ledger, Shutdown Shutdown, ILogger Log)
{
    /// <summary>An upstream that is down is so for every connection: said once a second.</summary>
    private readonly LogThrottle _failures = new();

    /// <summary>Peers decide how often a layer fails.</summary>
    private readonly LogThrottle _layerFailures = new();

    /// <summary>The connections that are open, to be listed and closed.</summary>
    public OpenConnections Connections { get; init; } = new();

    /// <summary>The tasks of handlers that run: the server's end waits for them.</summary>
    public HandlerTasks HandlerTasks { get; } = new();

    /// <summary>Logs why a layer has failed or refused a peer, if one has: a line a second at most.</summary>
    /// <param name="connection">Whose layer.</param>
    /// <param name="failure">Why; null if none has failed.</param>
    public void LogLayerFailure(ConnectionInfo connection, string? failure)
    {
        if (failure is not null && _layerFailures.MayLog(out int left))
        {
            ServerLog.LayerFailed(Log, connection.Door, connection.Peer, connection.Id, PrintableText.Escape(failure) + Like(left));
        }
    }

    private static string Like(int left) => left == 0 ? "" : $" (and {left} like it since the last line)";

    /// <summary>The connections of our own that are open or about to be.</summary>
    public required OutgoingPlaces Outgoing { get; init; }

    /// <summary>Where sessions' memory comes from whose lane has no pool of its own, and the budget of all of them.</summary>
    public SharedPool Pool { get; init; } = SharedPool.Unbounded();

    /// <summary>Who waits for a descriptor.</summary>
    public DescriptorReserve Descriptors { get; init; } = new();

    /// <summary>
    /// Before a connection is begun that a handler has asked for: takes a place for it. False if there is none, which the handler is told.
    /// The place is free again after <see cref="Fail"/> or <see cref="OutgoingOver"/>.
    /// </summary>
    public bool TryBegin(ConnectRequest request)
    {
        if (Outgoing.TryAcquire())
        {
            return true;
        }

        Ledger.OutgoingRefused();
        Tell(request, Outgoing.Refusal(request.Endpoint));
        return false;
    }

    /// <summary>A connection of our own is closed.</summary>
    public void OutgoingOver() => Outgoing.Release();

    /// <summary>Tells a request's handler that it could not be connected, and logs why. Its place is free again.</summary>
    public void Fail(ConnectRequest request, ConnectFailure failure)
    {
        Outgoing.Release();
        Tell(request, failure);
    }

    private void Tell(ConnectRequest request, ConnectFailure failure)
    {
        if (_failures.MayLog(out int left))
        {
            ServerLog.ConnectFailed(Log, failure.Message + Like(left));
        }

        if (request.Fail(failure, Ledger) is { } fault)
        {
            ServerLog.LaneFailed(Log, request.Endpoint, ServerLog.TextOf(fault), fault);
        }
    }
}
