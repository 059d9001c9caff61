using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <content>How connections end, and the lane: in order when the server drains, by a reset when the lane has failed.</content>
internal abstract partial class LoopLane
{
    public void Dispose()
    {
        Connector.Dispose();
        DisposeOwn();
        Acceptor.Close();
        Epoll.Dispose();
        _wake.Dispose();
    }

    private void OnShutdown(TimeSpan now)
    {
        bool aborting = _shutdown.IsAborting;
        Epoll.Forget(_shutdown.Drain.Descriptor);
        if (aborting)
        {
            Epoll.Forget(_shutdown.Abort.Descriptor);
        }

        if (!IsDraining)
        {
            IsDraining = AcceptsLast = true;
            Acceptor.OnReadable();
        }

        foreach (LoopConnection connection in Table.ToArray())
        {
            Dispatch(connection, aborting ? News.Abort : News.Drain, now);
        }

        if (aborting)
        {
            Connector.Abort();
        }

        DrainAsked();
    }

    /// <summary>
    /// Of an answer that is cut off here the peer hears by a reset; a connection that only had to be closed yet ends in order.
    /// </summary>
    private void ResetAll()
    {
        EndAll();
        Connector.Dispose();
        foreach (LoopConnection connection in Table.ToArray())
        {
            StreamSession session = connection.Connection.Session;
            if ((session.Wants & (Want.Close | Want.Abort)) == 0)
            {
                session.Fail(CloseReason.TransportFailed);
            }

            try
            {
                Close(connection);
            }
            catch (Exception)
            {
                // Perhaps what the lane has failed of, such as a log that throws: the others are closed all the same.
            }
        }
    }

    private void Close(LoopConnection connection)
    {
        connection.Over = true;
        connection.IgnoreRings();
        _timers.Remove(connection);
        Table.Remove(connection);
        try
        {
            connection.Connection.Close();
        }
        finally
        {
            if (!connection.Connection.IsOutgoing)
            {
                Context.Admission.Release(connection.Connection.TransportPeer);
            }
        }
    }
}
