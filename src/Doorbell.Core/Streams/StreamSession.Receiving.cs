using System.Diagnostics;

namespace Doorbell.Sessions;

/// <content>What comes from the peer.</content>
public sealed partial class StreamSession
{
    /// <summary>The kernel gave these bytes.</summary>
    /// <param name="bytes">Lent for the call; what the handler leaves is copied. Not empty.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Received(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        if (Arrived(bytes.Length, now))
        {
            if (_rest.IsEmpty)
            {
                Keep(bytes[Offer(bytes, now)..]);
            }
            else
            {
                _rest.Append(bytes);
                OfferRest(now);
            }

            Complete(now);
        }
    }

    /// <summary>
    /// The kernel gave many bytes, which are neither copied to stand behind the unconsumed rest nor, if the handler passes them on as they
    /// are, to be sent: the rest is moved in front of them, and <see cref="Outgoing"/> may lie in the lane's own memory. The lane sends
    /// what it can and then says <see cref="TakeBack"/>.
    /// </summary>
    /// <param name="memory">The lane's, lent until <see cref="TakeBack"/>; the session may write before <paramref name="start"/>.</param>
    /// <param name="start">Where the bytes begin, which go to the memory's end. At least one.</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Received(Memory<byte> memory, int start, TimeSpan now)
    {
        if (_rest.Length > Math.Min(start, memory.Length - start))
        {
            Received(memory.Span[start..], now);
        }
        else if (Arrived(memory.Length - start, now))
        {
            Span<byte> input = memory.Span[(start - _rest.Length)..];
            _rest.MoveTo(input);
            _stalled = false;
            _output.Lend(memory);
            Keep(input[Offer(input, now)..]);
            Complete(now);
        }
    }

    /// <summary>The lane needs again what it has lent: what has not been sent of it is copied.</summary>
    public void TakeBack() => _output.ReclaimLent();

    /// <summary>The peer has half-closed: recv(2) answered 0.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void ReceivedEnd(TimeSpan now)
    {
        _ended = true;
        _heard = true;
        _lastActivity = now;
        Refresh(now);
    }

    /// <summary>Whether they are the handler's: what comes after the end of a conversation is counted and dropped.</summary>
    private bool Arrived(int count, TimeSpan now)
    {
        Debug.Assert(!_ended, "bytes after the peer's end");
        _tally.BytesReceived += count;
        if (_phase != Phase.Open)
        {
            _tally.BytesDiscarded += count;
            EndTurn();
            return false;
        }

        _heard = true;
        _lastActivity = now;
        _stepsLeft = _limits.MaxStepsPerRound;
        _arriving.Move(count);
        return true;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (_phase == Phase.Open)
        {
            _rest.Append(rest);
            GuardMessageSize();
        }
        else
        {
            _tally.BytesDiscarded += rest.Length;
        }
    }
}
