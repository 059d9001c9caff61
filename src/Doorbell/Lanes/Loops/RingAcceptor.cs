using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// Lets io_uring accept from the listeners: one request each, made anew for every connection. Near the limit of places, where a door has a
/// bound of its own, after a failure, and when the server drains, it stops for good and leaves accepting to the <see cref="LoopAcceptor"/>,
/// which takes a place for a connection before it takes the connection. A multishot request would save the making, but the loops share the
/// listeners: the kernel wakes the request that waits longest, which would be the same loop's for ever. A new request waits behind those of
/// the other loops.
/// </summary>
internal sealed class RingAcceptor(IReadOnlyList<DoorSocket> listeners, ServerContext context, IoUring ring, LoopAcceptor acceptor)
{
    /// <summary>With fewer places left the kernel no longer accepts by itself: it would take more than there are places for.</summary>
    private const int FewPlaces = 256;

    private readonly bool[] _armed = new bool[listeners.Count];
    private readonly bool _isBounded = listeners.Any(static listener => Admission.IsBounded(listener.Door));
    private bool _stops;
    private bool _asked;
    private bool _waits;

    private bool Stops => _stops || _isBounded || !context.Descriptors.MayAccept || context.Admission.LeasesLeft < FewPlaces;

    public bool IsUnderWay => _armed.Contains(true);

    public void Begin()
    {
        for (int i = 0; i < listeners.Count && !Stops; i++)
        {
            Arm(i);
        }

        _ = IsDone(stopping: false);
    }

    /// <summary>A connection, or a failure: either ends the request.</summary>
    public void Completed(int listener, in Completion completion, TimeSpan now)
    {
        _armed[listener] = false;
        if (completion.Result >= 0)
        {
            acceptor.Take(listener, completion.Result, now);
        }
        else
        {
            // The next accept(2) meets the same failure, and knows what to do about it.
            _stops = true;
        }

        if (!Stops)
        {
            Arm(listener);
        }
    }

    /// <summary>As <see cref="Completed"/>, of a lane that has failed: nobody is there to serve a connection.</summary>
    public void Discard(int listener, in Completion completion)
    {
        _armed[listener] = false;
        if (completion.Result >= 0)
        {
            _ = Libc.close(completion.Result);
        }
    }

    /// <summary>Whether no request is under way and the rest is the other's. Asks them to end if it is time.</summary>
    public bool IsDone(bool stopping)
    {
        if (stopping || Stops)
        {
            Stop();
        }

        if (!_stops || IsUnderWay)
        {
            return false;
        }

        if (!_waits && !stopping)
        {
            _waits = true;
            acceptor.ResumeWaiting();
        }

        return true;
    }

    private void Stop()
    {
        _stops = true;
        for (int i = 0; i < _armed.Length && !_asked; i++)
        {
            if (_armed[i])
            {
                ring.Cancel(Operation.UserData(Operation.Accept, i));
            }
        }

        _asked = true;
    }

    private void Arm(int listener)
    {
        nint none = 0;
        ref Submission accept = ref ring.Next(ref none, Operation.Accept, listeners[listener].Descriptor, listener);
        accept.OperationFlags = Libc.SocketCloseOnExec;
        _armed[listener] = true;
    }
}
