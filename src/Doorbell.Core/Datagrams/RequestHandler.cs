using System.Collections.Concurrent;

namespace Doorbell;

/// <summary>
/// The client's side of a request/response protocol over datagrams, as a function of bytes and time: any thread asks, the socket's lane
/// sends, repeats and tells the outcome. A protocol derives from it and writes its state machine without a lock; RequestClient in Doorbell
/// gives it a socket.
/// </summary>
/// <remarks>
/// Requests come in through a bounded queue and the bell. Every request that <see cref="TryAsk"/> has taken has one outcome, unless it is
/// cancelled: an outcome is told on the lane, so who is told must not block.
/// </remarks>
/// <typeparam name="TRequest">What is asked.</typeparam>
/// <typeparam name="TResponse">What is answered.</typeparam>
/// <param name="maxRequests">Most requests without an outcome at once.</param>
public abstract class RequestHandler<TRequest, TResponse>(int maxRequests) : DatagramHandler
{
    private readonly ConcurrentQueue<Entry> _queue = new();

    /// <summary>Requests that the state machine has, by their IDs. The lane's alone.</summary>
    private readonly Dictionary<long, Entry> _asked = [];
    private Bell? _bell;
    private long _lastId;
    private long _roundTrip;
    private int _requests;
    private bool _hasHeard;
    private int _isClosed;

    /// <summary>Whether anything has come from the peer. Any thread may read it.</summary>
    public bool HasHeard => Volatile.Read(ref _hasHeard);

    /// <summary>What a round trip takes, as measured and smoothed; zero while it is unknown. Any thread may read it.</summary>
    public TimeSpan RoundTrip
    {
        get => new(Volatile.Read(ref _roundTrip));
        protected set => Volatile.Write(ref _roundTrip, value.Ticks);
    }

    /// <summary>
    /// During <see cref="OnResponse"/>, who has sent the datagram: another than the one asked if that is a group of servers. May be forged.
    /// </summary>
    protected PeerAddress From { get; private set; }

    /// <summary>Whether no request waits for its outcome.</summary>
    public override bool IsIdle => Volatile.Read(ref _requests) == 0;

    /// <summary>Asks. Any thread may call it.</summary>
    /// <param name="request">What to ask; not to be changed before the outcome.</param>
    /// <param name="completed">Is told the outcome, once; not after <see cref="Cancel"/>. It must not block.</param>
    /// <param name="id">Names the request for <see cref="Cancel"/>.</param>
    /// <returns>False if as many requests as allowed have no outcome yet.</returns>
    /// <exception cref="ArgumentException">The request can't be sent.</exception>
    public bool TryAsk(TRequest request, Action<RequestOutcome<TResponse>> completed, out long id)
    {
        Check(request);
        id = Interlocked.Increment(ref _lastId);
        if (Interlocked.Increment(ref _requests) > maxRequests)
        {
            Interlocked.Decrement(ref _requests);
            return false;
        }

        Enqueue(new Entry(id, request, completed));
        return true;
    }

    /// <summary>Gives a request up: its outcome is told to nobody. Whether it had its effect is unknown. Any thread may call it.</summary>
    /// <param name="id">The request's; one that has its outcome already is left alone.</param>
    public void Cancel(long id) => Enqueue(new Entry(id, default!, Completed: null));

    /// <inheritdoc/>
    public sealed override void OnOpen(DatagramTurn turn)
    {
        // Behind the fence: whoever enqueues from here on rings.
        Interlocked.Exchange(ref _bell, turn.Bell);
        TakeQueue(turn);
    }

    /// <inheritdoc/>
    public sealed override void OnRing(DatagramTurn turn) => TakeQueue(turn);

    /// <inheritdoc/>
    public sealed override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        Volatile.Write(ref _hasHeard, true);
        From = datagram.From;
        OnResponse(datagram.Bytes, turn);
    }

    /// <summary>The requests that have been sent fail: which of them the peer's host refused is unknown.</summary>
    /// <param name="peer">The peer that the socket is connected to.</param>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public sealed override void OnUnreachable(PeerAddress peer, DatagramTurn turn)
    {
        foreach (long id in _asked.Keys.ToArray())
        {
            OnCancelled(id, turn);
            Complete(id, new RequestOutcome<TResponse>(RequestFailure.Unreachable));
        }
    }

    /// <summary>All requests without an outcome fail.</summary>
    /// <param name="reason">Why the socket is closed.</param>
    public sealed override void OnClosed(CloseReason reason)
    {
        Interlocked.Exchange(ref _isClosed, 1);
        foreach (long id in _asked.Keys.ToArray())
        {
            Complete(id, new RequestOutcome<TResponse>(RequestFailure.Closed));
        }

        RefuseQueue();
    }

    /// <summary>Whether a request can be sent at all. Any thread may call it, so it must not touch the state machine.</summary>
    /// <param name="request">What is asked.</param>
    /// <exception cref="ArgumentException">It can't.</exception>
    protected abstract void Check(TRequest request);

    /// <summary>A request is to be sent.</summary>
    /// <param name="id">Names it.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="turn">The moment and the datagrams to send.</param>
    protected abstract void OnRequest(long id, TRequest request, DatagramTurn turn);

    /// <summary>A request is given up; one that is unknown is left alone.</summary>
    /// <param name="id">Names it.</param>
    /// <param name="turn">The moment and the datagrams to send.</param>
    protected abstract void OnCancelled(long id, DatagramTurn turn);

    /// <summary>A datagram of the peer has arrived.</summary>
    /// <param name="datagram">Valid during the call only; may be forged.</param>
    /// <param name="turn">The moment and the datagrams to send.</param>
    protected abstract void OnResponse(ReadOnlySpan<byte> datagram, DatagramTurn turn);

    /// <summary>Tells a request's outcome; of a request that is cancelled or has one already nobody is told.</summary>
    /// <param name="id">Names it.</param>
    /// <param name="outcome">The response, or why there is none.</param>
    protected void Complete(long id, RequestOutcome<TResponse> outcome)
    {
        if (_asked.Remove(id, out Entry? entry))
        {
            Interlocked.Decrement(ref _requests);
            entry.Completed!(outcome);
        }
    }

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

    private void TakeQueue(DatagramTurn turn)
    {
        while (_queue.TryDequeue(out Entry? entry))
        {
            if (entry.Completed is not null)
            {
                _asked.Add(entry.Id, entry);
                OnRequest(entry.Id, entry.Request, turn);
            }
            else if (_asked.Remove(entry.Id))
            {
                Interlocked.Decrement(ref _requests);
                OnCancelled(entry.Id, turn);
            }
        }
    }

    private void RefuseQueue()
    {
        while (_queue.TryDequeue(out Entry? entry))
        {
            if (entry.Completed is not null)
            {
                Interlocked.Decrement(ref _requests);
                entry.Completed(new RequestOutcome<TResponse>(RequestFailure.Closed));
            }
        }
    }

    /// <summary>A request, or with nobody to tell the cancellation of one.</summary>
    private sealed record Entry(long Id, TRequest Request, Action<RequestOutcome<TResponse>>? Completed);
}
