using System.Diagnostics.CodeAnalysis;

namespace Doorbell.Sessions;

/// <summary>
/// What a session has to do with connections that we open: the request that it was made of, if its own connection is one, and those that
/// its handler has made. Most sessions have neither, and no such object.
/// </summary>
/// <param name="own">What the session was made of; null if its connection was accepted.</param>
internal sealed class SessionRequests(ConnectRequest? own)
{
    /// <summary>The most connections that one handler may be waiting for.</summary>
    public const int MaxPending = 16;

    /// <summary>
    /// Those that may not be over yet, which are told when this session is; the last <see cref="_new"/> are not taken yet.
    /// </summary>
    private List<ConnectRequest>? _made;
    private int _new;

    /// <summary>Whether the session's own connection is one that we opened.</summary>
    public bool IsOutgoing => own is not null;

    /// <summary>Whether there is one for the lane to take.</summary>
    public bool HasNew => _new > 0;

    /// <summary>
    /// Whether a drain may close the session when it is at rest. One that we opened is closed only when the one that it was opened for is
    /// over: an answer may be on its way through it that its handler knows nothing of.
    /// </summary>
    public bool MayClose => own is null || own.RequesterIsOver;

    /// <summary>The handler asks for a connection.</summary>
    /// <exception cref="InvalidOperationException">It waits for as many as it may already.</exception>
    public OutgoingConnection Add(ConnectRequest request)
    {
        _made ??= new List<ConnectRequest>(1);
        _made.RemoveAll(static made => made.IsOver);
        if (_made.Count(static made => made.IsPending) >= MaxPending)
        {
            throw new InvalidOperationException($"This handler waits for {MaxPending} connections already: that is the most at once.");
        }

        _made.Add(request);
        _new++;
        return request.Outgoing;
    }

    public bool TryTake([NotNullWhen(true)] out ConnectRequest? request)
    {
        request = _new > 0 ? _made![^_new--] : null;
        return request is not null;
    }

    public void Opened() => own?.Opened();

    /// <summary>The session drains; it is rung when the session that it was opened for is over.</summary>
    public void Draining(Bell bell) => own?.Draining(bell);

    /// <summary>The session is over. What the lane has not taken is never connected: the lane has failed.</summary>
    /// <returns>What a handler threw that was told so.</returns>
    public Exception? Close(Ledger ledger)
    {
        Exception? fault = null;
        own?.Closed();
        while (TryTake(out ConnectRequest? request))
        {
            fault = request.Fail(ConnectFailure.Cancelled(request.Endpoint), ledger) ?? fault;
        }

        _made?.ForEach(static request => request.RequesterOver());
        return fault;
    }
}
