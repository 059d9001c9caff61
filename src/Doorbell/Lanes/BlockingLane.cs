using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>
/// A lane that is a thread and carries one connection at a time, as the textbook's server does: it sleeps in poll(2) for the
/// connection, its bell, its deadline and the server's end together.
/// </summary>
internal sealed unsafe class BlockingLane(ServerContext context, ShutdownEvents shutdown, OutgoingThreads outgoing)
{
    /// <summary>Where poll(2) can't wait for a failure, the lane looks for one so often.</summary>
    private const uint LookMilliseconds = 1000;

    /// <summary>For the connections that handlers of such lanes ask for: each has a lane of its own.</summary>
    public static OutgoingThreads NewOutgoing(ServerContext context, ShutdownEvents shutdown) =>
        new(context, shutdown, (connected, threads) => new BlockingLane(context, shutdown, threads).Carry(connected));

    /// <summary>What is answered accepts and carries, one after the other, until the drain is over.</summary>
    /// <param name="listeners">Whence it accepts.</param>
    /// <param name="all">Hears whether this lane is free.</param>
    /// <exception cref="NetworkException">The system refuses what the lane needs.</exception>
    public Action Begin(SharedSockets listeners, FullLanes all)
    {
        BlockingAcceptor acceptor = new(listeners, context, shutdown);
        return () => Run(acceptor, all);
    }

    private void Run(BlockingAcceptor acceptor, FullLanes all)
    {
        try
        {
            using (acceptor)
            {
                while (acceptor.Next(out AcceptedSocket accepted))
                {
                    all.Take();
                    Carry(accepted, all);
                }
            }
        }
        finally
        {
            outgoing.Wait();
        }
    }

    /// <summary>Carries a connection that a handler has asked for to its end.</summary>
    public void Carry(in ConnectedSocket connected)
    {
        using BlockingBell bell = new(shutdown.Asked);
        PolledConnection connection = new(connected, context, bell, context.Pool);
        CarryToEnd(connection, bell);
    }

    /// <summary>Carries one connection to its end and gives its place back.</summary>
    public void Carry(in AcceptedSocket accepted) => Carry(accepted, null);

    private void Carry(in AcceptedSocket accepted, FullLanes? all)
    {
        PolledConnection? connection = null;
        try
        {
            using BlockingBell bell = new(shutdown.Asked);
            connection = new PolledConnection(accepted, context, bell, context.Pool);
            CarryToEnd(connection, bell);
        }
        catch (Exception fault) when (connection is null)
        {
            // The making of the handler failed. It costs one connection.
            context.Ledger.AcceptFailed();
            ServerLog.LaneFailed(context.Log, accepted.Door, ServerLog.TextOf(fault), fault);
            _ = Libc.close(accepted.Descriptor);
        }
        finally
        {
            all?.Free();
            if (connection is null)
            {
                context.Admission.Release(accepted.At, accepted.Peer);
            }
            else
            {
                context.Admission.Release(accepted.At, connection, connection.RoomOrder);
            }
        }
    }

    private void CarryToEnd(PolledConnection connection, BlockingBell bell)
    {
        try
        {
            Carry(connection, bell);
            connection.Close();
        }
        catch (Exception fault)
        {
            // A handler's faults end in its session; what comes here is ours. It costs one connection.
            ServerLog.LaneFailed(context.Log, connection.Door, ServerLog.TextOf(fault), fault);
            connection.Session.Fail(CloseReason.TransportFailed);
            connection.Close();
        }
    }

    private void Carry(PolledConnection connection, BlockingBell bell)
    {
        StreamSession session = connection.Session;
        bool toldToDrain = false;
        connection.Open(MonotonicClock.Now);
        while (true)
        {
            TimeSpan now = MonotonicClock.Now;
            if (shutdown.IsAborting)
            {
                session.Fail(CloseReason.DrainDeadline);
            }
            else if (shutdown.IsDraining && !toldToDrain)
            {
                toldToDrain = true;
                connection.AskToDrain();
            }

            SharedWake.Event asked = shutdown.Asked.Current;
            connection.CloseIfAsked(now);

            switch (Advance(connection, now))
            {
                case Progress.Over:
                    return;
                case Progress.Connecting:
                    while (session.TryTakeConnect(out ConnectRequest? request))
                    {
                        outgoing.Connect(request);
                    }

                    break;
                case Progress.Busy when (session.Wants & Want.Yield) != 0:
                    session.Continue(now);
                    break;
                case Progress.Waiting:
                    if (toldToDrain || !AwaitsPeerAlone(session, now) || !ReceiveWithinShortWait(connection))
                    {
                        Wait(connection, bell, toldToDrain ? shutdown.Abort : shutdown.Drain, asked);
                    }

                    now = MonotonicClock.Now;
                    break;
            }

            if (session.BellTaken && bell.TakeRing())
            {
                session.Ring(now);
            }

            if (session.Deadline <= now)
            {
                session.Tick(now);
            }
        }
    }

    /// <summary>With a buffer for so long only: a thread that waits owns none.</summary>
    private static Progress Advance(PolledConnection connection, TimeSpan now)
    {
        ReceiveBuffer buffer = ReceiveBuffers.Take();
        try
        {
            return connection.Advance(buffer, now);
        }
        finally
        {
            ReceiveBuffers.Return(buffer);
        }
    }

    /// <summary>Nothing but the peer, or the server's end, will wake it before a short wait is over.</summary>
    private static bool AwaitsPeerAlone(StreamSession session, TimeSpan now) =>
        session.Wants == Want.Receive && !session.BellTaken && session.Deadline - now > PolledConnection.ShortWait;

    /// <summary>Into the stack: as many threads as there are may wait here at once.</summary>
    private static bool ReceiveWithinShortWait(PolledConnection connection)
    {
        Span<byte> buffer = stackalloc byte[4096];
        return connection.ReceiveWithinShortWait(buffer);
    }

    private static void Wait(PolledConnection connection, BlockingBell bell, EventDescriptor stop, SharedWake.Event asked)
    {
        StreamSession session = connection.Session;
        short awaits = connection.Awaits;
        bool looksLater = awaits == 0 && connection.HasHungUp;
        int milliseconds = MonotonicClock.MillisecondsTo(session.Deadline, MonotonicClock.Now);
        PollDescriptor* descriptors = stackalloc PollDescriptor[4];

        // Without any event asked for, poll(2) still tells of a failure.
        descriptors[0] = new PollDescriptor { Descriptor = looksLater ? -1 : connection.Descriptor, Events = awaits };
        descriptors[1] = new PollDescriptor { Descriptor = stop.Descriptor, Events = PollDescriptor.In };
        descriptors[2] = new PollDescriptor { Descriptor = session.BellTaken ? bell.Listen() : -1, Events = PollDescriptor.In };
        descriptors[3] = new PollDescriptor { Descriptor = asked.Descriptor, Events = PollDescriptor.In };
        int wait = session.BellTaken ? bell.Bound(milliseconds) : milliseconds;
        if (Libc.poll(descriptors, 4, looksLater ? (int)Math.Min((uint)wait, LookMilliseconds) : wait) > 0)
        {
            // An error is found by the call that it fails.
            short returned = descriptors[0].Returned;
            connection.Readable |= (returned & ~PollDescriptor.Out) != 0;
            connection.Writable |= (returned & ~PollDescriptor.In) != 0;
            connection.MayHaveFailed |= (returned & PollDescriptor.Error) != 0;
            connection.HasHungUp |= awaits == 0 && returned != 0;
        }

        connection.MayHaveFailed |= looksLater;

        GC.KeepAlive(asked);
    }
}
