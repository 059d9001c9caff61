namespace Doorbell;

/// <content>How connections end, and the lane: in order when the server drains, by a reset when the lane has failed.</content>
internal abstract partial class LoopLane
{
    public void Dispose()
    {
        DisposeOwn();
        Acceptor.Close();
        Epoll.Dispose();
        _wake.Dispose();
    }

    private void HearStop(TimeSpan now)
    {
        bool aborting = _stop.IsAborting;
        Epoll.Forget(_stop.Drain.Descriptor);
        if (aborting)
        {
            Epoll.Forget(_stop.Abort.Descriptor);
        }

        if (!IsDraining)
        {
            IsDraining = true;
            Acceptor.Heard();
        }

        foreach (LoopConnection connection in Table.ToArray())
        {
            Tell(connection, aborting ? News.Abort : News.Drain, now);
        }

        DrainAsked();
    }

    /// <summary>
    /// Of an answer that is cut off here the peer hears by a reset; a connection that only had to be closed yet ends in order.
    /// </summary>
    private void ResetAll()
    {
        EndAll();
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
            Serving.Admission.Leave(connection.Connection.Session.Peer);
        }
    }
}
