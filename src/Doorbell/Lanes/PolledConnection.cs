using System.Buffers;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>
/// A connection whose lane learns when its descriptor is ready, and that then receives and sends by calls that never wait. Whatever lane
/// carries it tells it what is readable and writable, lets it <see cref="Advance"/>, and waits for it.
/// </summary>
internal sealed unsafe class PolledConnection : SocketConnection
{
    /// <summary>What <see cref="ReceiveLittle"/> has room for.</summary>
    public const int LittleBytes = 4 * 1024;

    private const int ReceivesPerRound = 8;

    /// <summary>A handler that always writes on must not keep its lane: neither from the others nor from the server's end.</summary>
    private const int SendsPerRound = 16;

    /// <summary>How long a receive may keep its lane from the server's end.</summary>
    public static readonly TimeSpan ShortWait = TimeSpan.FromMilliseconds(10);

    private bool _receiveWaitsShortly;

    /// <summary>
    /// The kernel has reported EPOLLHUP or EPOLLERR, and it was no failure. poll(2) reports them again at once, each time, so a lane that
    /// sleeps there must not ask any more.
    /// </summary>
    public bool HasHungUp { get; set; }

    public PolledConnection(in AcceptedSocket accepted, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
        : base(accepted, context, bell, pool)
    {
    }

    public PolledConnection(in ConnectedSocket connected, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
        : base(connected, context, bell, pool)
    {
    }

    /// <summary>What to wait for, as poll(2) has it; 0 for nothing of the socket's.</summary>
    public short Awaits
    {
        get
        {
            Want wants = Session.Wants;
            return (short)(((wants & Want.Receive) != 0 ? PollDescriptor.In : 0) | ((wants & Want.Send) != 0 ? PollDescriptor.Out : 0));
        }
    }

    /// <summary>What epoll(7) says of it.</summary>
    public void OnEvents(uint events)
    {
        bool ended = (events & (Epoll.PeerHangUp | Epoll.HangUp | Epoll.Error)) != 0;
        ReceivesToEnd |= ended || (events & Epoll.Urgent) != 0;
        Readable |= ended || (events & (Epoll.In | Epoll.Urgent)) != 0;
        Writable |= ended || (events & Epoll.Out) != 0;

        // EPOLLHUP is no failure: it also comes when both sides have half-closed.
        MayHaveFailed |= (events & Epoll.Error) != 0;
    }

    /// <summary>
    /// Receives, and waits for it up to <see cref="ShortWait"/>: most peers answer within it, and one call does what poll(2) and a receive
    /// would.
    /// </summary>
    /// <param name="buffer">The lane's; lent to the session during the call.</param>
    /// <returns>False if nothing came.</returns>
    public bool ReceiveWithinShortWait(Span<byte> buffer)
    {
        if (!_receiveWaitsShortly)
        {
            // struct timeval { seconds, microseconds }, on the connection alone: a listener's belongs to other processes too.
            nint* timeout = stackalloc nint[] { 0, (nint)ShortWait.TotalMicroseconds };
            if (Libc.setsockopt(Descriptor, Libc.SocketLevel, Libc.ReceiveTimeoutOption, timeout, 2 * sizeof(nint)) != 0)
            {
                return false;
            }

            _receiveWaitsShortly = true;
        }

        nint count = Receive(buffer, flags: 0);
        TimeSpan now = MonotonicClock.Now;
        if (count <= 0)
        {
            return ReceivedNothing(count, now);
        }

        Session.Received(buffer[..(int)count], now);
        return true;
    }

    /// <summary>
    /// Receives for <see cref="Advance"/>, which then finds the session told: a little, where no more is thought to be there and nothing
    /// is to be sent first.
    /// </summary>
    /// <param name="piece">What came is in it; the session is not told of it yet.</param>
    /// <param name="now">The time.</param>
    /// <returns>How many bytes.</returns>
    public int ReceiveLittle(Span<byte> piece, TimeSpan now)
    {
        if (!Readable || IsBulky || (Session.Wants & ~Want.Yield) != Want.Receive)
        {
            return 0;
        }

        int count = (int)Receive(piece, Libc.MessageDontWait);
        if (count > 0)
        {
            return count;
        }

        ReceivedNothing(count, now);
        return 0;
    }

    /// <summary>Does all that can be done now, within bounds.</summary>
    /// <param name="buffer">The lane's; lent to the session during the call.</param>
    /// <param name="now">The time.</param>
    public Progress Advance(ReceiveBuffer buffer, TimeSpan now)
    {
        int receives = ReceivesPerRound;
        int sends = SendsPerRound;
        while (true)
        {
            Want wants = Session.Wants;
            if ((wants & (Want.Abort | Want.Close | Want.Connect)) != 0)
            {
                return (wants & Want.Connect) != 0 ? Progress.Connecting : Progress.Over;
            }

            if ((wants & Want.Send) != 0 && Writable)
            {
                if (sends-- == 0)
                {
                    return Progress.Busy;
                }

                SendNow(now);
            }
            else if ((wants & Want.Finish) != 0)
            {
                Finish(now);
            }
            else if ((wants & Want.Receive) != 0 && Readable)
            {
                if (receives-- == 0)
                {
                    return Progress.Busy;
                }

                IsBulky = ReceiveNow(buffer, now) >= LittleBytes;
            }
            else if (MayTellDrain(wants))
            {
                TellDrain(now);
            }
            else if (MayHaveFailed && (wants & (Want.Receive | Want.Send | Want.Yield)) == 0)
            {
                FailIfBroken();
            }
            else
            {
                return (wants & Want.Yield) != 0 ? Progress.Busy : Progress.Waiting;
            }
        }
    }
}
