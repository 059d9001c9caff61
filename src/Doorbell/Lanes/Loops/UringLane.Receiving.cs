using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <content>
/// Who sends little at once is received from by the ring, and who sends much by calls: then a call costs nothing beside its bytes, and
/// they are taken when the session wants them, into the lane's one buffer.
/// </content>
internal sealed unsafe partial class UringLane
{
    /// <summary>Of one connection by calls: as many as the others can wait for.</summary>
    private const int ReceivesPerRound = 8;

    private void Received(UringConnection connection, in Completion completion, TimeSpan now)
    {
        connection.Receiving = (completion.Flags & Completion.More) != 0;
        connection.ReceiveCancelled &= connection.Receiving;
        if (connection.Polls && completion.Result >= 0)
        {
            ReceiveByCalls(connection, now);
        }
        else if (completion.Result > 0)
        {
            ReadOnlySpan<byte> bytes = _buffers.Take(completion.Buffer, completion.Result);
            try
            {
                if (!connection.Ending)
                {
                    CancelIfTooMuch(connection, completion.Result);
                    connection.Session.Received(bytes, now);
                }
            }
            finally
            {
                _buffers.Return(completion.Buffer);
            }
        }
        else if (connection.Ending)
        {
            return;
        }
        else if (completion.Result == 0)
        {
            connection.Session.ReceivedEnd(now);
        }
        else if (-completion.Result is not (Libc.NoBuffers or Libc.Cancelled or Libc.TryAgain))
        {
            connection.Fail("receive", -completion.Result);
        }
    }

    /// <summary>
    /// Back-pressure. A receive that stays armed brings more before the session can say that it wants no more, so it is for peers that
    /// send little at once; and where bytes come unwanted all the same, they are the last. (That a session wants none for the time that
    /// its answer takes is no reason to end a receive: most peers wait for that answer.)
    /// </summary>
    private void CancelIfTooMuch(UringConnection connection, int received)
    {
        connection.IsBulky = received >= _sizes.BufferBytes;
        bool wanted = (connection.Session.Wants & (Want.Receive | Want.Yield)) != 0;
        if (connection.Receiving && !connection.ReceiveCancelled && (connection.IsBulky || !wanted))
        {
            connection.ReceiveCancelled = true;
            ref Submission cancel = ref _ring.Next();
            cancel.Operation = Operation.Cancel;
            cancel.Address = Operation.UserData(Operation.Receive, connection.Token);
            cancel.UserData = Operation.UserData(Operation.Cancel, 0);
        }
    }

    private void ReceiveByCalls(UringConnection connection, TimeSpan now)
    {
        int turns = ReceivesPerRound;
        while (!connection.Ending && turns-- > 0 && (connection.Session.Wants & Want.Receive) != 0)
        {
            int received = connection.ReceiveNow(_buffer, now);
            connection.IsBulky = received >= _sizes.BufferBytes;
            if (!connection.Readable)
            {
                return;
            }
        }
    }

    private void Receive(UringConnection connection)
    {
        connection.Receiving = true;
        connection.Polls = connection.IsBulky;
        if (connection.Polls)
        {
            Poll(connection.Descriptor, Operation.UserData(Operation.Receive, connection.Token));
            return;
        }

        nint length = 0;
        ref Submission receive = ref _ring.Next(SystemCall.Receive, ref length, Operation.Receive, connection.Descriptor, connection.Token);
        receive.Flags = Operation.SelectBuffer;
        receive.Priority = Operation.ReceiveMultishot;
        receive.BufferGroup = _buffers.Group;
    }
}
