using System.Collections.Concurrent;
using Doorbell.Coap.Client;
using Doorbell.Coap.Codec;
using Doorbell.Coap.Signaling;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP client on a connection to a server (RFC 8323); Client of the library Doorbell makes the connection. Any thread asks. The requests
/// that are under way at once are answered in any order. What they ask is sent when the server's CSM has come.
/// </summary>
/// <remarks>
/// Nothing is sent again, as TCP does that; a request has no outcome before its answer or the connection's end, unless it is given up. A
/// server that is silent for a minute while it owes an answer, or is observed, is sent a ping; if nothing comes for another minute, the
/// connection is given up.
/// </remarks>
public sealed class CoapStreamClientHandler : StreamHandler
{
    /// <summary>With more output than this, requests wait.</summary>
    private const int MaxPendingBytes = 64 * 1024;

    private const int TokenBytes = 4;

    /// <summary>5.01: a client has no resources.</summary>
    private static readonly CoapCode _notImplemented = new(0xa1);

    private static readonly TimeSpan _silence = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<Entry> _queue = new();
    private readonly Dictionary<long, Entry> _asked = [];
    private readonly CoapClientLimits _limits;
    private readonly CoapSignaling _signaling;
    private readonly CoapTransactions _active = new();
    private readonly CoapOutcomes _outcomes;
    private readonly CoapResponses _responses;
    private Bell? _bell;
    private long _lastId;
    private int _requests;
    private int _isClosed;
    private uint _lastToken;
    private bool _hasPinged;

    /// <summary>A handler for one connection.</summary>
    /// <param name="limits">
    /// Its bounds: those of requests, answers and blocks. A message that comes may have the bytes of the largest answer and 1,152 more, and
    /// 1 MiB at most; a larger answer comes in blocks.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A bound makes no sense.</exception>
    public CoapStreamClientHandler(CoapClientLimits limits)
    {
        limits.Validate();
        _limits = limits;
        long largest = (long)limits.MaxAnswerBytes + CoapSignaling.BaseMessageBytes;
        _signaling = new CoapSignaling((int)Math.Min(largest, StreamLimits.Default.MaxMessageBytes));
        _outcomes = new CoapOutcomes(limits, _active, random: null);
        _responses = new CoapResponses(limits, _outcomes);
    }

    /// <summary>
    /// Is told the states of observed resources (<see cref="CoapClientRequest.Observes"/>), the first one among them, with the request. It
    /// is called on the connection's lane, so it must not block. Default null: nobody is told.
    /// </summary>
    public Action<CoapClientRequest, CoapClientResponse>? Notified { get; init; }

    /// <summary>Whether no request waits for its outcome, and the server knows which observations have ended.</summary>
    public override bool IsIdle => Volatile.Read(ref _requests) == 0 && _active.Count == 0;

    /// <summary>Asks. Any thread may call it.</summary>
    /// <param name="request">What to ask; not to be changed before the outcome.</param>
    /// <param name="completed">Is told the outcome, once, on the connection's lane; not after <see cref="Cancel"/>. It must not
    /// block.</param>
    /// <param name="id">Names the request for <see cref="Cancel"/>.</param>
    /// <returns>False if <see cref="CoapClientLimits.MaxRequests"/> have no outcome yet.</returns>
    /// <exception cref="ArgumentException">
    /// No method, a part longer than 255 bytes, or the request is for a group or leaves no room for a block.
    /// </exception>
    public bool TryAsk(CoapClientRequest request, Action<RequestOutcome<CoapClientResponse>> completed, out long id)
    {
        _limits.BlockExponentFor(request);
        if (request.Collects)
        {
            throw new ArgumentException("a group is asked over datagrams (RFC 7252 section 8)");
        }

        id = Interlocked.Increment(ref _lastId);
        if (Interlocked.Increment(ref _requests) > _limits.MaxRequests)
        {
            Interlocked.Decrement(ref _requests);
            return false;
        }

        Enqueue(new Entry(id, request, completed));
        return true;
    }

    /// <summary>
    /// Gives a request up: its outcome is told to nobody. Whether it had its effect is unknown. The server is told that an observation has
    /// ended. Any thread may call it.
    /// </summary>
    /// <param name="id">The request's; one that has its outcome already is left alone.</param>
    public void Cancel(long id) => Enqueue(new Entry(id, null, null));

    /// <inheritdoc/>
    public override Next OnOpen(Turn turn)
    {
        _signaling.Open(turn.Output);

        // Behind the fence: whoever enqueues from here on rings.
        Interlocked.Exchange(ref _bell, turn.Bell);
        TakeQueue(turn);
        return Next.Stay;
    }

    /// <inheritdoc/>
    public override Next OnRing(Turn turn)
    {
        TakeQueue(turn);
        return Next.Stay;
    }

    /// <inheritdoc/>
    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        CoapStreamEvent what = _signaling.Next(input, turn.Output, out CoapMessage message, out int length);
        if (what == CoapStreamEvent.Message)
        {
            Take(message, turn);
        }

        if (what != CoapStreamEvent.Incomplete)
        {
            _hasPinged = false;
            turn.Alarm = null;
        }

        Advance(turn);
        bool isOver = what == CoapStreamEvent.Over || (_signaling.IsReleased && _active.Count == 0);
        return isOver ? Step.Close(length) : Step.More(length);
    }

    /// <inheritdoc/>
    public override Next OnFlushed(Turn turn)
    {
        Advance(turn);
        return Next.Stay;
    }

    /// <inheritdoc/>
    public override Next OnAlarm(Turn turn)
    {
        if (_active.Count == 0)
        {
            return Next.Stay;
        }

        if (_hasPinged)
        {
            _signaling.Abort(turn.Output, "Nothing came for two minutes, no pong either.");
            return Next.Close;
        }

        _hasPinged = true;
        CoapSignaling.Send(turn.Output, CoapSignalCode.Ping);
        turn.Alarm = turn.Now + _silence;
        return Next.Stay;
    }

    /// <summary>All requests without an outcome fail.</summary>
    /// <param name="reason">Why the connection is over.</param>
    public override void OnClosed(CloseReason reason)
    {
        Interlocked.Exchange(ref _isClosed, 1);
        foreach (long id in _asked.Keys.ToArray())
        {
            Complete(id, new RequestOutcome<CoapClientResponse>(Failure()));
        }

        RefuseQueue();
    }

    private RequestFailure Failure() => new(
        _signaling.EndedBy ?? (_signaling.IsReleased ? "the server takes no more requests on this connection (Release)"
            : _signaling.HasCapabilities ? "the connection ended before the answer"
            : "the connection ended before the server's first message, a CSM (RFC 8323 section 5.3)"),
        _signaling.HasCapabilities
            ? "connect again; whether the request had its effect is unknown"
            : "the server may not speak CoAP over TCP: look what listens there",
        IsTimeout: false);

    private void Enqueue(Entry entry)
    {
        _queue.Enqueue(entry);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isClosed) != 0)
        {
            RefuseQueue();
            return;
        }

        Volatile.Read(ref _bell)?.Ring();
    }

    private void RefuseQueue()
    {
        while (_queue.TryDequeue(out Entry? entry))
        {
            if (entry.Completed is { } completed)
            {
                Interlocked.Decrement(ref _requests);
                completed(new RequestOutcome<CoapClientResponse>(Failure()));
            }
        }
    }

    private void TakeQueue(Turn turn)
    {
        while (_queue.TryDequeue(out Entry? entry))
        {
            if (entry.Request is { } request)
            {
                Begin(entry, request, turn.Now);
            }
            else if (_asked.Remove(entry.Id))
            {
                Interlocked.Decrement(ref _requests);
                CoapTransaction cancelled = _active.Find(entry.Id)!;
                _outcomes.Remove(cancelled);
                _outcomes.EndObservation(cancelled, turn.Now);
            }
        }

        Advance(turn);
    }

    private void Begin(Entry entry, CoapClientRequest request, TimeSpan now)
    {
        _asked.Add(entry.Id, entry);
        if (_signaling.IsReleased)
        {
            Complete(entry.Id, new RequestOutcome<CoapClientResponse>(Failure()));
            return;
        }

        CoapTransaction transaction = new(entry.Id, request, _limits.BlockExponentFor(request), now)
        {
            MaxExponent = CoapBlock.BertExponent,
        };
        if (transaction.Observing is { } observing)
        {
            observing.IsOrdered = true;
        }

        transaction.Continue();
        _active.Add(transaction);
    }

    private void Take(in CoapMessage message, Turn turn)
    {
        if (message.Code.IsRequest)
        {
            CoapFrame.Write(turn.Output, _notImplemented, message.Token, default, default);
            return;
        }

        CoapTransaction? transaction = _active.FindByToken(message.Token);
        bool isLate = transaction?.EndsObservation is not null && message.Options.TryGet(CoapOptionNumber.Observe, out _);
        if (transaction is null || isLate)
        {
            // It belongs to no request, as a notification that has crossed the end of its observation.
            return;
        }

        if (CoapResponses.HasUnknownCriticalOption(message.Options))
        {
            _outcomes.End(transaction, CoapFailure.OptionNotUnderstood, turn.Now);
        }
        else
        {
            _responses.Take(transaction, message, turn.Now);
        }
    }

    /// <summary>Sends what may be sent, and tells the outcomes.</summary>
    private void Advance(Turn turn)
    {
        while (_signaling.HasCapabilities && turn.Output.Pending <= MaxPendingBytes && _active.Continued is { } transaction)
        {
            Send(transaction, turn);
        }

        while (_outcomes.TryTake(out CoapClientResponse? response))
        {
            if (!_asked.TryGetValue(response.Id, out Entry? asked))
            {
                continue;
            }

            CoapClientResponse told = response with { From = turn.Peer };
            if (response.IsNotification)
            {
                Notified?.Invoke(asked.Request!, told);
                continue;
            }

            Complete(response.Id, CoapClientHandler.OutcomeOf(told, _limits));
        }

        turn.Alarm = _active.Count == 0 ? null : turn.Alarm ?? turn.Now + _silence;
    }

    private void Send(CoapTransaction transaction, Turn turn)
    {
        int options = CoapResourceName.OptionBytes(transaction.Request);
        if (transaction.AllSends == 0)
        {
            transaction.Fit(Math.Max(_signaling.PeerMaxMessageBytes - options, CoapBlock.MinSize));
        }

        CoapToken token = transaction.KeptToken ?? new CoapToken(++_lastToken, TokenBytes);
        transaction.IsContinued = false;
        transaction.Sends = 1;
        transaction.AllSends++;
        transaction.Write(token, new byte[options], turn.Output, _responses.Echo);
    }

    private void Complete(long id, RequestOutcome<CoapClientResponse> outcome)
    {
        if (_asked.Remove(id, out Entry? entry))
        {
            Interlocked.Decrement(ref _requests);
            entry.Completed!(outcome);
        }
    }

    /// <summary>A request, or with nothing to ask the cancellation of one.</summary>
    private sealed record Entry(long Id, CoapClientRequest? Request, Action<RequestOutcome<CoapClientResponse>>? Completed);
}
