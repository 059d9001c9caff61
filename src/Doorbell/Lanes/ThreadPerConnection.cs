using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>One thread accepts and makes a thread, a blocking lane, for each connection.</summary>
internal sealed class ThreadPerConnection(ServerContext context, ShutdownEvents shutdown) : IDisposable
{
    private readonly Backoff _backoff = new();
    private readonly OutgoingThreads _outgoing = BlockingLane.NewOutgoing(context, shutdown);

    /// <summary>The threads running, and the one that accepts.</summary>
    private readonly CountdownEvent _running = new(1);

    /// <summary>Accepts until the drain, then waits for the last connection.</summary>
    public void Run(BlockingAcceptor acceptor)
    {
        try
        {
            using (acceptor)
            {
                while (acceptor.Next(out AcceptedSocket accepted))
                {
                    Start(accepted);
                }
            }
        }
        catch
        {
            // The connections still have to end before this thread may.
            context.Shutdown.Fail();
            throw;
        }
        finally
        {
            _running.Signal();
            _running.Wait();
            _outgoing.Wait();
        }
    }

    public void Dispose() => _running.Dispose();

    /// <summary>While the system gives no thread, the connection waits here and the others in the backlog.</summary>
    private void Start(AcceptedSocket accepted)
    {
        _running.AddCount();
        while (!TryStart(accepted))
        {
            if (shutdown.IsAborting)
            {
                context.CountRefusal(accepted.At, accepted.Peer, AdmissionDecision.Full);
                _ = Libc.close(accepted.Descriptor);
                context.Admission.Release(accepted.At, accepted.Peer);
                _running.Signal();
                return;
            }

            shutdown.Pause(_backoff.Next());
        }

        _backoff.Reset();
    }

    private bool TryStart(AcceptedSocket accepted)
    {
        try
        {
            LaneThread.Start("connection", () =>
            {
                new BlockingLane(context, shutdown, _outgoing).Carry(accepted);
                _running.Signal();
            });
            return true;
        }
        catch (Exception shortage) when (shortage is OutOfMemoryException or ThreadStartException)
        {
            // EAGAIN of pthread_create(3): the system lets us have no more threads now.
            context.Ledger.AcceptFailed();
            if (_backoff.MayLog())
            {
                ServerLog.ThreadFailed(context.Log, accepted.Door, accepted.Peer, ServerLog.TextOf(shortage));
            }

            return false;
        }
    }
}
