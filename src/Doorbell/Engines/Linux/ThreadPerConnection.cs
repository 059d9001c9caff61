namespace Doorbell;

/// <summary>One thread accepts and makes a thread, a blocking lane, for each connection.</summary>
internal sealed class ThreadPerConnection(Listeners listeners, Serving serving, StopEvents stop) : IDisposable
{
    private readonly Backoff _backoff = new();

    /// <summary>The threads running, and the one that accepts.</summary>
    private readonly CountdownEvent _running = new(1);

    /// <summary>Accepts until the drain, then waits for the last connection.</summary>
    public void Run()
    {
        try
        {
            using BlockingAcceptor acceptor = new(listeners.Sockets, serving, stop);
            while (acceptor.Next(out Accepted accepted))
            {
                Start(accepted);
            }
        }
        catch
        {
            // The connections still have to end before this thread may.
            serving.Stop.Fail();
            throw;
        }
        finally
        {
            listeners.Leave();
            _running.Signal();
            _running.Wait();
        }
    }

    public void Dispose() => _running.Dispose();

    /// <summary>While the system gives no thread, the connection waits here and the others in the backlog.</summary>
    private void Start(Accepted accepted)
    {
        _running.AddCount();
        while (!TryStart(accepted))
        {
            if (stop.IsAborting)
            {
                _ = Libc.close(accepted.Descriptor);
                serving.Admission.Leave(accepted.Peer);
                _running.Signal();
                return;
            }

            stop.Pause(_backoff.Next());
        }

        _backoff.Reset();
    }

    private bool TryStart(Accepted accepted)
    {
        try
        {
            LaneThread.Start("connection", () =>
            {
                new BlockingLane(serving, stop).Carry(accepted);
                _running.Signal();
            });
            return true;
        }
        catch (Exception shortage) when (shortage is OutOfMemoryException or ThreadStartException)
        {
            // EAGAIN of pthread_create(3): the system lets us have no more threads now.
            serving.Ledger.AcceptFailed();
            if (_backoff.MayLog())
            {
                ServerLog.ThreadFailed(serving.Log, accepted.Door, accepted.Peer, ServerLog.TextOf(shortage));
            }

            return false;
        }
    }
}
