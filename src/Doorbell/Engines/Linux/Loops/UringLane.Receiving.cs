namespace Doorbell;

/// <content>
/// Who sends little at once is received from by the ring, and who sends much by calls: then a call costs nothing beside its bytes, and
/// they are taken when the session wants them, into the lane's one buffer.
/// </content>
internal sealed unsafe partial class UringLane
{
    /// <summary>Of one connection by calls: as many as the others can wait for.</summary>
    private const int ReceivesPerTurn = 8;

    private void Received(RingConnection ring, in Completion completion, TimeSpan now)
    {
        ring.Receiving = (completion.Flags & Completion.More) != 0;
        ring.ReceiveCancelled &= ring.Receiving;
        if (ring.Polls && completion.Result >= 0)
        {
            ReceiveByCalls(ring, now);
        }
        else if (completion.Result > 0)
        {
            ReadOnlySpan<byte> bytes = _buffers.Take(completion.Buffer, completion.Result);
            try
            {
                if (!ring.Ending)
                {
                    CancelIfTooMuch(ring, completion.Result);
                    ring.Session.Received(bytes, now);
                }
            }
            finally
            {
                _buffers.GiveBack(completion.Buffer);
            }
        }
        else if (ring.Ending)
        {
            return;
        }
        else if (completion.Result == 0)
        {
            ring.Session.ReceivedEnd(now);
        }
        else if (-completion.Result is not (Libc.NoBuffers or Libc.Cancelled or Libc.TryAgain))
        {
            ring.Fail("receive", -completion.Result);
        }
    }

    /// <summary>
    /// Back-pressure. A receive that stays armed brings more before the session can say that it wants no more, so it is for peers that
    /// send little at once; and where bytes come unwanted all the same, they are the last. (That a session wants none for the time that
    /// its answer takes is no reason to end a receive: most peers wait for that answer.)
    /// </summary>
    private void CancelIfTooMuch(RingConnection ring, int received)
    {
        ring.IsBulky = received >= _sizes.BufferBytes;
        bool wanted = (ring.Session.Wants & (Want.Receive | Want.Turn)) != 0;
        if (ring.Receiving && !ring.ReceiveCancelled && (ring.IsBulky || !wanted))
        {
            ring.ReceiveCancelled = true;
            ref Submission cancel = ref _ring.Next();
            cancel.Operation = Operation.Cancel;
            cancel.Address = Operation.UserData(Operation.Receive, ring.Token);
            cancel.UserData = Operation.UserData(Operation.Cancel, 0);
        }
    }

    private void ReceiveByCalls(RingConnection ring, TimeSpan now)
    {
        int turns = ReceivesPerTurn;
        while (!ring.Ending && turns-- > 0 && (ring.Session.Wants & Want.Receive) != 0)
        {
            int received = ring.ReceiveNow(_buffer, now);
            ring.IsBulky = received >= _sizes.BufferBytes;
            if (!ring.Readable)
            {
                return;
            }
        }
    }

    private void Receive(RingConnection ring)
    {
        ring.Receiving = true;
        ring.Polls = ring.IsBulky;
        if (ring.Polls)
        {
            Poll(ring.Descriptor, Operation.UserData(Operation.Receive, ring.Token));
            return;
        }

        nint length = 0;
        ref Submission receive = ref _ring.Next(SystemCall.Receive, ref length, Operation.Receive, ring.Descriptor, ring.Token);
        receive.Flags = Operation.SelectBuffer;
        receive.Priority = Operation.ReceiveMultishot;
        receive.BufferGroup = _buffers.Group;
    }
}
