using Doorbell.Coap.Codec;
using Doorbell.Coap.Signaling;
using Doorbell.Sessions;

namespace Doorbell.Coap.Server;

/// <summary>
/// One connection to a CoAP server over a stream (RFC 8323). Each request is answered when it comes; what a resource throws ends the
/// connection, as any handler's fault does.
/// </summary>
internal sealed class CoapStreamHandler(CoapStreamResources shared) : StreamHandler
{
    /// <summary>With more output than this, changes wait: a peer that takes no notifications gets the present state when it does.</summary>
    private const int MaxPendingBytes = 16 * 1024;

    /// <summary>How often it looks for bodies in blocks that may be forgotten.</summary>
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(10);

    private readonly CoapSignaling _signaling = new(shared.Limits.MaxStreamMessageBytes);
    private readonly CoapStreamObservers _observers = new(shared.Places);
    private readonly CoapBlockwise _blockwise = new(shared.Limits, proof: null);
    private TimeSpan _capabilitiesDue;
    private TimeSpan? _nextTick;
    private long _held;

    public override Next OnOpen(Turn turn)
    {
        _signaling.Open(turn.Output);
        _observers.Open(turn.Bell);
        _capabilitiesDue = turn.Now + shared.Limits.CapabilitiesTimeout;
        turn.Alarm = _capabilitiesDue;
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        CoapStreamEvent what = _signaling.Next(input, turn.Output, out CoapMessage message, out int length);
        if (what == CoapStreamEvent.Incomplete)
        {
            return Step.More(0);
        }

        // A response is of no use to a server, and means that the peer has mistaken it for its client.
        if (what == CoapStreamEvent.Message && message.Code.IsRequest)
        {
            Answer(input[..length], message, turn);
        }

        End(turn);
        return what == CoapStreamEvent.Over || _signaling.IsReleased ? Step.Close(length) : Step.More(length);
    }

    public override Next OnRing(Turn turn) => Notify(turn);

    public override Next OnFlushed(Turn turn) => Notify(turn);

    public override Next OnAlarm(Turn turn)
    {
        if (!_signaling.HasCapabilities && turn.Now >= _capabilitiesDue)
        {
            _signaling.Abort(turn.Output, "No CSM came in time (RFC 8323 section 5.3).");
            return Next.Close;
        }

        if (_nextTick <= turn.Now)
        {
            _nextTick = null;
            _blockwise.Expire(turn.Now);
        }

        return Notify(turn);
    }

    /// <summary>The peer is to send no more requests here.</summary>
    public override Next OnDrained(Turn turn)
    {
        CoapSignaling.Send(turn.Output, CoapSignalCode.Release);
        return Next.Close;
    }

    public override void OnClosed(CloseReason reason) => _observers.Clear();

    private CoapStreamRoom Room() => new(_signaling.PeerMaxMessageBytes, _signaling.PeerTakesBert);

    private void Answer(ReadOnlySpan<byte> frame, in CoapMessage message, Turn turn)
    {
        CoapExchangeContext exchange = new()
        {
            Datagram = frame,
            Message = message,
            Path = new DatagramPath(turn.Peer, turn.Connection.Local),
            At = new CoapMoment(turn.Now, turn.UtcNow),
            IsProved = true,
            Room = Room(),
        };
        CoapStreamProcessor processor = shared.Rent(turn.Connection.Door);
        try
        {
            processor.Answer(ref exchange, _blockwise, _observers, turn.Output);
        }
        finally
        {
            shared.Return(processor);
        }

        turn.CountRequests(1);
    }

    /// <summary>Tells what has changed, as far as the peer takes it.</summary>
    private Next Notify(Turn turn)
    {
        if (_observers.Count > 0)
        {
            CoapStreamProcessor processor = shared.Rent(turn.Connection.Door);
            try
            {
                while (turn.Output.Pending <= MaxPendingBytes && _observers.NextStale(turn.Now) is { } stale)
                {
                    CoapMoment at = new(turn.Now, turn.UtcNow);
                    processor.Notify(stale, Room(), at, _blockwise, _observers, turn.Output);
                }
            }
            finally
            {
                shared.Return(processor);
            }
        }

        End(turn);
        return Next.Stay;
    }

    private void End(Turn turn)
    {
        _nextTick = _blockwise.Count == 0 ? null : _nextTick ?? turn.Now + _tick;
        TimeSpan? due = turn.Output.Pending > MaxPendingBytes ? null : _observers.Due;
        due = _nextTick is { } tick && !(due < tick) ? tick : due;
        turn.Alarm = !_signaling.HasCapabilities && !(due < _capabilitiesDue) ? _capabilitiesDue : due;
        long held = _blockwise.Bytes + _observers.Bytes;
        if (held != _held)
        {
            turn.HeldMemory.Add(held - _held);
            _held = held;
        }
    }
}
