namespace Doorbell.Sessions;

/// <content>Connections that the handler asks for, and what is particular to a session that was made of such a request.</content>
public sealed partial class StreamSession
{
    /// <summary>The most connections that one handler may be waiting for.</summary>
    public const int MaxConnecting = 16;

    /// <summary>What this session was made of; null if its connection was accepted.</summary>
    private readonly ConnectRequest? _request;

    /// <summary>Those that the lane has not taken yet.</summary>
    private Queue<ConnectRequest>? _toConnect;

    /// <summary>Those that may not be over yet: they are told when this one is.</summary>
    private List<ConnectRequest>? _requested;

    /// <summary>A session for a connection that a handler asked for and that is connected now.</summary>
    /// <param name="request">As <see cref="TryTakeConnect"/> gave it.</param>
    /// <param name="connection">Who is connected, and to what.</param>
    /// <param name="bell">The lane's: rings for this connection.</param>
    /// <param name="ledger">Where it is counted.</param>
    /// <param name="pool">Where its memory comes from and goes back to.</param>
    public StreamSession(ConnectRequest request, ConnectionInfo connection, Bell bell, Ledger ledger, System.Buffers.ArrayPool<byte> pool)
        : this(request.Handler, request.Limits, connection, bell, ledger, pool) => _request = request;

    private Want ConnectWants => _toConnect is { Count: > 0 } ? Want.Connect : Want.None;

    /// <summary>The next connection to make, as <see cref="Want.Connect"/> asked.</summary>
    /// <param name="request">The lane's to carry out; it may outlive this session.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeConnect([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ConnectRequest? request)
    {
        request = null;
        return _toConnect is not null && _toConnect.TryDequeue(out request);
    }

    internal OutgoingConnection Connect(Endpoint endpoint, StreamHandler handler, ConnectOptions options)
    {
        _requested ??= [];
        _requested.RemoveAll(static request => request.IsOver);
        if (_requested.Count(static request => request.IsPending) >= MaxConnecting)
        {
            throw new InvalidOperationException($"This handler waits for {MaxConnecting} connections already: that is the most at once.");
        }

        ConnectRequest added = new(endpoint, handler, options, _limits);
        _requested.Add(added);
        (_toConnect ??= new Queue<ConnectRequest>()).Enqueue(added);
        return added.Outgoing;
    }

    /// <summary>
    /// Whether a drain may close it when it is at rest. One that we opened is closed only when the one that it was opened for is over: an
    /// answer may be on its way through it that this session knows nothing of.
    /// </summary>
    private bool DrainMayClose => _request is null || _request.RequesterIsOver;

    private void CountOpened()
    {
        if (_request is null)
        {
            _ledger.ConnectionOpened();
        }
        else
        {
            _request.Opened();
            _ledger.ConnectionConnected();
        }
    }

    private void DrainRequested()
    {
        if (_request is not null)
        {
            // The lane has to hear the bell, though the handler may not have taken it.
            _request.Drains(Bell);
        }
    }

    private void CloseRequests()
    {
        _request?.Closed();
        while (TryTakeConnect(out ConnectRequest? request))
        {
            // The lane has failed: nobody will connect it.
            Fault ??= request.Fail(ConnectFailure.Cancelled(request.Endpoint), _ledger);
        }

        _requested?.ForEach(static request => request.RequesterOver());
    }
}
