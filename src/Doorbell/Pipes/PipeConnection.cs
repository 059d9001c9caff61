using System.IO.Pipelines;
using Doorbell.Pipes;

namespace Doorbell;

/// <summary>A connection as ordinary <c>async</c> code has it: two pipes, who is there, and what can happen to it.</summary>
/// <remarks>Any thread may use it. Each pipe is for one user at a time, as pipes are.</remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "The sources have no timer and no handle to dispose of; a session's end cancels them.")]
public sealed class PipeConnection : IDuplexPipe
{
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly PipeAlarms _alarms = new();
    private Action? _ring;
    private ConnectionInfo? _info;
    private CloseReason _reason;
    private volatile bool _isOver;
    private volatile bool _isAborted;
    private int _requests;

    internal PipeConnection(PipeReader input, PipeWriter output) => (Input, Output) = (input, output);

    /// <summary>
    /// What the peer sends. It completes when the peer half-closes, when the connection is gone, and in a drain, as soon as the code waits
    /// for input and has consumed all that came: then what is in work is still answered, and nothing new is taken.
    /// </summary>
    public PipeReader Input { get; }

    /// <summary>
    /// What is sent to the peer. Completing it half-closes the connection (a FIN): reading goes on, until the code returns. Completing it
    /// with an exception resets the connection, as throwing that does.
    /// </summary>
    public PipeWriter Output { get; }

    /// <summary>Who is connected, and to what.</summary>
    public ConnectionInfo Info => _info!;

    /// <summary>Who is at the other end.</summary>
    public PeerAddress Peer => Info.Peer;

    /// <summary>Cancelled when the connection is gone: closed, reset, timed out, or aborted at the end of a drain.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>
    /// Cancelled when the server begins to drain. Code that sends without being asked returns then; code that answers needs it not, since
    /// its <see cref="Input"/> completes.
    /// </summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Why the connection ended; null while it lasts. It is known when <see cref="Closed"/> is cancelled.</summary>
    public CloseReason? CloseReason => _isOver ? _reason : null;

    internal bool IsAborted => _isAborted;

    /// <summary>
    /// Resets the connection (a RST) and drops what was not sent: counted as <see cref="Doorbell.CloseReason.HandlerAborted"/>, not as a
    /// fault.
    /// </summary>
    public void Abort()
    {
        _isAborted = true;
        _ring!();
    }

    /// <summary>Adds to the ledger's count of requests: whole messages answered.</summary>
    /// <param name="count">How many; not negative.</param>
    public void CountRequests(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Interlocked.Add(ref _requests, count);
    }

    /// <summary>An alarm: ends after so much time, on the clock of the connection's lane, which is virtual in a test.</summary>
    /// <param name="time">Not negative.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="OperationCanceledException">Cancelled, or the connection has ended first.</exception>
    public Task DelayAsync(TimeSpan time, CancellationToken cancellation = default) => _alarms.DelayAsync(time, _ring!, cancellation);

    internal void Open(ConnectionInfo info, Action ring) => (_info, _ring) = (info, ring);

    /// <summary>On the lane, at each of its turns.</summary>
    internal void OnTurn(Turn turn)
    {
        turn.CountRequests(Interlocked.Exchange(ref _requests, 0));
        _alarms.Set(turn);
    }

    // What waits for a token runs on the thread pool, not on the lane that cancels it.
    internal void Drain() => _ = _draining.CancelAsync();

    internal void Close(CloseReason reason)
    {
        _reason = reason;
        _isOver = true;
        _alarms.End();
        _ = _closed.CancelAsync();
    }
}
