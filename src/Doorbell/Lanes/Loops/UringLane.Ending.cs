using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes.Loops;

/// <content>How connections end, and the lane: nothing that the kernel uses is given back before it is done with it.</content>
internal sealed unsafe partial class UringLane
{
    /// <summary>So long a lane that has failed waits for what it has cancelled. It takes as long as a system call.</summary>
    private static readonly TimeSpan _maxToCancel = TimeSpan.FromSeconds(1);

    private bool _isOver;

    private bool IsUnderWay => _polls || _multishot.IsUnderWay
        || Table.ToArray().Any(static open => open.Connection is UringConnection { Sending: true } or UringConnection { Receiving: true });

    /// <summary>With the next turn.</summary>
    public void CloseDescriptor(int descriptor)
    {
        if (_isOver)
        {
            _ = Libc.close(descriptor);
            return;
        }

        try
        {
            ref Submission close = ref _ring.Next();
            close.Operation = Operation.Close;
            close.Flags = Operation.SkipSuccess;
            close.Descriptor = descriptor;
            close.UserData = Operation.UserData(Operation.Close, 0);
        }
        catch (NetworkException)
        {
            // The lane's next wait fails of the same, and says so.
            _ = Libc.close(descriptor);
        }
    }

    protected override void DisposeOwn()
    {
        EndRing();
        _buffers?.Dispose();
        ReceiveBuffers.Return(_buffer);
    }

    protected override void EndAll()
    {
        foreach (LoopConnection open in Table.ToArray())
        {
            ((UringConnection)open.Connection).Ending = true;
        }

        try
        {
            CancelAll();
        }
        catch (NetworkException)
        {
            // The ring itself fails: then its end ends what is under way.
        }

        EndRing();
        foreach (LoopConnection open in Table.ToArray())
        {
            UringConnection connection = (UringConnection)open.Connection;
            if (connection.Sending)
            {
                connection.Sending = false;
                Pool.Reclaim(connection);
            }
        }
    }

    /// <summary>Once: the last connections' descriptors are closed by what waits to be submitted.</summary>
    private void EndRing()
    {
        if (_isOver || _ring is null)
        {
            return;
        }

        _isOver = true;
        try
        {
            _ring.SubmitAll();
        }
        catch (NetworkException)
        {
            _ring.CloseUnsubmitted();
        }

        _ring.Dispose();
    }

    private void CancelAll()
    {
        ref Submission cancel = ref _ring.Next();
        cancel.Operation = Operation.Cancel;
        cancel.OperationFlags = Operation.CancelAny;
        cancel.UserData = Operation.UserData(Operation.Cancel, 0);
        TimeSpan now = MonotonicClock.Now;
        TimeSpan until = now + _maxToCancel;
        while (IsUnderWay && now < until)
        {
            _ring.Enter(1, (int)(until - now).TotalMilliseconds + 1);
            now = MonotonicClock.Now;
            while (_ring.TryTake(out Completion completion))
            {
                DiscardCompletion(completion, now);
            }
        }
    }

    /// <summary>What a lane that has failed is still told.</summary>
    private void DiscardCompletion(in Completion completion, TimeSpan now)
    {
        int token = Operation.TokenOf(completion.UserData);
        switch (Operation.Of(completion.UserData))
        {
            case Operation.Receive when Table[token] is { } open:
                Received((UringConnection)open.Connection, completion, now);
                break;
            case Operation.Send when Table[token] is { } open:
                Sent((UringConnection)open.Connection, completion.Result, now);
                break;
            case Operation.Accept:
                _multishot.Discard(token, completion);
                break;
            case Operation.Poll:
                _polls = false;
                break;
        }
    }

    /// <summary>Nothing of ours is given back while the kernel may still use it.</summary>
    private Progress End(UringConnection connection)
    {
        if (!connection.Receiving && !connection.Sending)
        {
            return Progress.Over;
        }

        if (!connection.Ending)
        {
            connection.Ending = true;
            ref Submission cancel = ref _ring.Next();
            cancel.Operation = Operation.Cancel;
            cancel.OperationFlags = Operation.CancelAllOfDescriptor;
            cancel.Descriptor = connection.Descriptor;
            cancel.UserData = Operation.UserData(Operation.Cancel, 0);
        }

        return Progress.Waiting;
    }
}
