using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// How a lane on io_uring receives. From a peer that sends little at once, the ring receives, into a buffer that the kernel chooses. From a
/// peer that sends much, the lane receives by calls: then a call costs nothing beside its bytes, and they are taken when the session
/// wants them, into the lane's one buffer.
/// </summary>
internal sealed class UringReceiver : IDisposable
{
    /// <summary>Of one connection by calls: as many as the others can wait for.</summary>
    private const int ReceivesPerRound = 8;

    private readonly IoUring _ring;
    private readonly ProvidedBuffers _buffers;
    private readonly int _bufferBytes;
    private readonly ReceiveBuffer _buffer = ReceiveBuffers.Take();

    /// <exception cref="NetworkException">The system refuses the buffers.</exception>
    public UringReceiver(IoUring ring, in RingSizes sizes)
    {
        _ring = ring;
        _bufferBytes = sizes.BufferBytes;
        try
        {
            _buffers = new ProvidedBuffers(ring, group: 0, sizes.Buffers, sizes.BufferBytes);
        }
        catch
        {
            ReceiveBuffers.Return(_buffer);
            throw;
        }
    }

    /// <summary>How many of the ring's buffers somebody has not given back.</summary>
    public int BuffersOut => _buffers.Out;

    /// <summary>Asks the kernel to receive, or to say when there is something to be received by calls.</summary>
    public void Arm(UringConnection connection)
    {
        connection.Receiving = true;
        connection.Polls = connection.IsBulky;
        ulong userData = Operation.UserData(Operation.Receive, connection.Token);
        if (connection.Polls)
        {
            _ring.Poll(connection.Descriptor, userData);
            return;
        }

        nint length = 0;
        ref Submission receive = ref _ring.Next(ref length, Operation.Receive, connection.Descriptor, connection.Token);
        receive.Flags = Operation.SelectBuffer;
        receive.Priority = Operation.ReceiveMultishot;
        receive.BufferGroup = _buffers.Group;
    }

    /// <summary>What the kernel has received, or that there is something: tells the session.</summary>
    public void OnCompletion(UringConnection connection, in Completion completion, TimeSpan now)
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

    /// <summary>Once the kernel receives nothing more.</summary>
    public void Dispose()
    {
        _buffers.Dispose();
        ReceiveBuffers.Return(_buffer);
    }

    /// <summary>
    /// Back-pressure. A receive that stays armed brings more before the session can say that it wants no more, so it is for peers that
    /// send little at once; and where bytes come unwanted all the same, they are the last. (That a session wants none for the time that
    /// its answer takes is no reason to end a receive: most peers wait for that answer.)
    /// </summary>
    private void CancelIfTooMuch(UringConnection connection, int received)
    {
        connection.IsBulky = received >= _bufferBytes;
        bool wanted = (connection.Session.Wants & (Want.Receive | Want.Yield)) != 0;
        if (connection.Receiving && !connection.ReceiveCancelled && (connection.IsBulky || !wanted))
        {
            connection.ReceiveCancelled = true;
            _ring.Cancel(Operation.UserData(Operation.Receive, connection.Token));
        }
    }

    private void ReceiveByCalls(UringConnection connection, TimeSpan now)
    {
        int receives = ReceivesPerRound;
        while (!connection.Ending && receives-- > 0 && (connection.Session.Wants & Want.Receive) != 0)
        {
            int received = connection.ReceiveNow(_buffer, now);
            connection.IsBulky = received >= _bufferBytes;
            if (!connection.Readable)
            {
                return;
            }
        }
    }
}
