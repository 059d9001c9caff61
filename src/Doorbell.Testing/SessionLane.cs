using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>
/// A lane that carries one session over a <see cref="StreamTransport"/>, one deed a step; chance decides which of those possible, and
/// how many bytes are moved.
/// </summary>
internal sealed class SessionLane
{
    private const int MaxBytesAtOnce = 64 * 1024;
    private const int MaxRestBytes = 16 * 1024;

    private readonly StreamTransport _transport;
    private readonly Random _random;
    private readonly LaneBell _bell;
    private bool _endDelivered;
    private bool _drainAsked;

    public SessionLane(SessionSetting setting, StreamTransport transport, Random random, Action? rung = null)
    {
        _transport = transport;
        _random = random;
        _bell = new LaneBell(rung);
        Session = setting.Request is { } request
            ? new StreamSession(request, setting.Connection, _bell, setting.Ledger, setting.Pool)
            : new StreamSession(
                setting.Handler, setting.Limits, setting.Connection, _bell, setting.Ledger, setting.Pool, setting.Layers);
    }

    private enum Deed : byte
    {
        Ring,
        Fail,
        Send,
        Finish,
        Continue,
        Receive,
        ReceiveEnd,
        Drain,
    }

    public StreamSession Session { get; }

    /// <summary>Whether chance cuts the stream anew at each step; otherwise each receive and send is as large as it may be.</summary>
    public bool CutAtRandom { get; set; } = true;

    /// <summary>Why it ended; null while it lasts.</summary>
    public CloseReason? Ended { get; private set; }

    /// <summary>Whether it ended with a reset rather than in order.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Whether the session has half-closed.</summary>
    public bool HasFinished { get; private set; }

    /// <summary>Takes the connections that the handler asks for.</summary>
    public required Action<ConnectRequest> Connect { get; init; }

    public void Drain() => _drainAsked = true;

    /// <summary>Does one thing that is possible.</summary>
    /// <returns>False if nothing is, until something happens or time passes.</returns>
    public bool Step(TimeSpan now)
    {
        if (Ended is not null)
        {
            return false;
        }

        Want wants = Session.Wants;
        if ((wants & Want.Connect) != 0 && Session.TryTakeConnect(out ConnectRequest? request))
        {
            Connect(request);
            return true;
        }

        if ((wants & (Want.Close | Want.Abort)) != 0)
        {
            Close(isAbort: (wants & Want.Abort) != 0);
            return true;
        }

        Span<Deed> possible = stackalloc Deed[8];
        int count = FindPossible(wants, possible);
        if (count == 0)
        {
            return false;
        }

        Do(possible[count == 1 ? 0 : _random.Next(count)], now);
        return true;
    }

    /// <summary>Nothing more can be received or sent.</summary>
    public void Fail(CloseReason reason)
    {
        Session.Fail(reason);
        WasReset = true;
    }

    private int FindPossible(Want wants, Span<Deed> possible)
    {
        int count = 0;
        int readable = _transport.Readable;
        bool canReceive = (wants & Want.Receive) != 0;
        AddIf(_bell.IsRung, Deed.Ring, possible, ref count);
        AddIf(_transport.Lost is not null, Deed.Fail, possible, ref count);
        AddIf((wants & Want.Send) != 0 && _transport.Room > 0, Deed.Send, possible, ref count);
        AddIf((wants & Want.Finish) != 0, Deed.Finish, possible, ref count);
        AddIf((wants & Want.Yield) != 0, Deed.Continue, possible, ref count);
        AddIf(canReceive && readable > 0, Deed.Receive, possible, ref count);
        AddIf(canReceive && _transport.AtEnd && !_endDelivered, Deed.ReceiveEnd, possible, ref count);
        AddIf(_drainAsked && MayTellDrain(wants), Deed.Drain, possible, ref count);
        return count;
    }

    /// <summary>As every lane: what the session wants of the transport's comes first; a session that is blocked is told at once.</summary>
    private bool MayTellDrain(Want wants) =>
        (wants & Want.Receive) != 0 ? _transport.Readable == 0 : (wants & Want.Yield) == 0 && !Session.Draining;

    private static void AddIf(bool can, Deed deed, Span<Deed> possible, ref int count)
    {
        if (can)
        {
            possible[count++] = deed;
        }
    }

    private void Do(Deed deed, TimeSpan now)
    {
        switch (deed)
        {
            case Deed.Ring:
                _bell.Take();
                Session.Ring(now);
                break;
            case Deed.Fail:
                Fail(_transport.Lost!.Value);
                break;
            case Deed.Send:
                Send(now);
                break;
            case Deed.Finish:
                HasFinished = true;
                _transport.Finish();
                Session.Finished(now);
                break;
            case Deed.Continue:
                Session.Continue(now);
                break;
            case Deed.Receive:
                Receive(now);
                break;
            case Deed.ReceiveEnd:
                _endDelivered = true;
                Session.ReceivedEnd(now);
                break;
            case Deed.Drain:
                _drainAsked = Session.Drain(now);
                break;
        }
    }

    private void Send(TimeSpan now)
    {
        ReadOnlySpan<byte> outgoing = Session.Outgoing.Span;
        int count = Amount(Math.Min(outgoing.Length, _transport.Room));
        _transport.Send(outgoing[..count]);
        Session.Sent(count, now);
    }

    private void Receive(TimeSpan now)
    {
        int count = Amount(Math.Min(_transport.Readable, MaxBytesAtOnce));
        int start = CutAtRandom && _random.Next(2) == 0 ? _random.Next(MaxRestBytes) : 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(start + count);
        Memory<byte> bytes = buffer.AsMemory(0, start + count);
        _transport.Receive(bytes.Span[start..]);
        if (start == 0)
        {
            Session.Received(bytes.Span, now);
        }
        else
        {
            Session.Received(bytes, start, now);
            while ((Session.Wants & Want.Send) != 0 && _transport.Room > 0 && _random.Next(2) == 0)
            {
                Send(now);
            }

            Session.TakeBack();
        }

        // The lane's buffer is its own again: a session that kept the span would see this.
        bytes.Span.Fill(0xdd);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Close(bool isAbort)
    {
        WasReset |= isAbort;

        // close(2) sends the FIN if shutdown(2) has not.
        HasFinished |= !WasReset;
        if (isAbort || Session.Reason == CloseReason.DrainDeadline)
        {
            _transport.Abort();
        }
        else
        {
            _transport.Close();
        }

        Session.Closed();
        Ended = Session.Reason;
    }

    private int Amount(int most) => CutAtRandom ? 1 + _random.Next(most) : most;
}
