using System.Diagnostics.CodeAnalysis;
using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP client of one peer as a function of datagrams and the time (RFC 7252): what comes from the peer goes to
/// <see cref="Received"/>, <see cref="Tick"/> is called at <see cref="Alarm"/>, and after each call all that
/// <see cref="TryTakeDatagram"/> gives is sent and all that <see cref="TryTakeAnswer"/> gives is told. Not thread-safe.
/// </summary>
/// <remarks>
/// Every request ends in one <see cref="CoapClientResponse"/>. Messages are sent again after 2 to 3 seconds at first contact and after what
/// <see cref="RoundTripEstimator"/> says later on, each wait twice the one before, within
/// <see cref="CoapClientLimits.MaxTransmitSpan"/>; so that many clients don't fall into step each first wait is lengthened by up to half.
/// </remarks>
public sealed partial class CoapClient
{
    private const double AckRandomFactor = 0.5;

    private readonly CoapClientLimits _limits;
    private readonly Random _random;
    private readonly CoapMessageIds _messageIds;
    private readonly RoundTripEstimator _roundTrips;
    private readonly List<CoapTransaction> _active = [];
    private readonly Queue<CoapTransaction> _waiting = new();
    private readonly Queue<CoapTransaction> _toSend = new();
    private readonly Queue<CoapClientResponse> _answers = new();
    private long _nextId;
    private uint _nextToken;

    /// <summary>A client that has asked nothing yet.</summary>
    /// <param name="limits">Its bounds.</param>
    /// <param name="random">Where its first message ID, its tokens and the jitter come from; not to be guessed by others.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound makes no sense.</exception>
    public CoapClient(CoapClientLimits limits, Random random)
    {
        limits.Validate();
        _limits = limits;
        _random = random;
        _messageIds = new CoapMessageIds(random);
        _roundTrips = new RoundTripEstimator(limits.FirstContactTimeout, limits.MinTimeout);
        _nextToken = (uint)random.NextInt64(1L << 32);
    }

    /// <summary>Requests without an answer yet.</summary>
    public int Requests => _active.Count + _waiting.Count;

    /// <summary>What the peer's answers have taken so far.</summary>
    public RoundTripEstimator RoundTrips => _roundTrips;

    /// <summary>Datagrams that belonged to no request: late, doubled, forged or broken.</summary>
    public long Ignored { get; private set; }

    /// <summary>When <see cref="Tick"/> is to be called; null for never.</summary>
    public TimeSpan? Alarm
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (CoapTransaction question in _active)
            {
                TimeSpan due = question.NextSend < question.GiveUp ? question.NextSend : question.GiveUp;
                next = due < next ? due : next;
            }

            return next == TimeSpan.MaxValue ? null : next;
        }
    }

    /// <summary>Asks.</summary>
    /// <param name="request">What; its body is not to be changed before the answer.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <param name="id">What the answer will carry.</param>
    /// <returns>False if <see cref="CoapClientLimits.MaxRequests"/> are at work already.</returns>
    /// <exception cref="ArgumentException">No method, a part longer than 255 bytes, or options that fit no datagram.</exception>
    public bool TryAsk(CoapClientRequest request, TimeSpan now, out long id)
    {
        int exponent = BlockExponentFor(request);
        id = _nextId;
        if (Requests >= _limits.MaxRequests)
        {
            return false;
        }

        _waiting.Enqueue(new CoapTransaction(_nextId++, request, exponent, now));
        StartWaiting(now);
        return true;
    }

    /// <summary>Gives a request up: it gets no answer. Whether it had its effect is unknown.</summary>
    /// <param name="id">Its ID; one that is over already is left alone.</param>
    /// <param name="now">The time.</param>
    public void Cancel(long id, TimeSpan now)
    {
        int at = _active.FindIndex(question => question.Id == id);
        if (at >= 0)
        {
            Remove(_active[at]);
            StartWaiting(now);
            return;
        }

        for (int left = _waiting.Count; left > 0; left--)
        {
            CoapTransaction question = _waiting.Dequeue();
            if (question.Id != id)
            {
                _waiting.Enqueue(question);
            }
        }
    }

    /// <summary>Time has passed: sends again, or gives up, what is due.</summary>
    /// <param name="now">The time.</param>
    public void Tick(TimeSpan now)
    {
        for (int i = _active.Count - 1; i >= 0; i--)
        {
            CoapTransaction question = _active[i];
            if (question.GiveUp <= now)
            {
                GiveUp(question, now);
            }
            else if (question.NextSend <= now)
            {
                if (question.Sends == 0)
                {
                    SendFirst(question, now);
                }
                else
                {
                    SendAgain(question, now);
                }
            }
        }

        StartWaiting(now);
    }

    /// <summary>What is to be sent to the peer.</summary>
    /// <param name="datagram">Valid until the next call of this client.</param>
    /// <returns>False if there is nothing more now.</returns>
    public bool TryTakeDatagram(out ReadOnlySpan<byte> datagram)
    {
        if (TryTakeNotice(out datagram))
        {
            return true;
        }

        while (_toSend.TryDequeue(out CoapTransaction? question))
        {
            question.IsQueued = false;
            if (!question.IsOver && !question.IsAcknowledged)
            {
                datagram = question.Datagram;
                return true;
            }
        }

        return false;
    }

    /// <summary>How a request ended.</summary>
    /// <param name="answer">Its answer, or why there is none.</param>
    /// <returns>False if no more have ended.</returns>
    public bool TryTakeAnswer([NotNullWhen(true)] out CoapClientResponse? answer) => _answers.TryDequeue(out answer);

    private int BlockExponentFor(CoapClientRequest request)
    {
        int options = CoapResourceName.OptionBytes(request);
        int exponent = int.Log2(_limits.BlockBytes) - 4;
        while (exponent >= 0 && options + (CoapBlock.MinSize << exponent) > _limits.MaxMessageBytes)
        {
            exponent--;
        }

        return exponent >= 0
            ? exponent
            : throw new ArgumentException($"the options take {options} bytes, which leaves no room in {_limits.MaxMessageBytes}");
    }

    private void StartWaiting(TimeSpan now)
    {
        while (Outstanding() < _limits.MaxOutstanding && TryNext(out CoapTransaction? question))
        {
            SendFirst(question, now);
        }
    }

    /// <summary>What has begun goes on before another begins.</summary>
    private bool TryNext([NotNullWhen(true)] out CoapTransaction? question)
    {
        question = _active.Find(static each => each.GoesOn);
        if (question is null && _waiting.TryDequeue(out question))
        {
            _active.Add(question);
        }

        return question is not null;
    }

    private int Outstanding()
    {
        int count = 0;
        foreach (CoapTransaction question in _active)
        {
            count += question.IsAcknowledged ? 0 : 1;
        }

        return count;
    }

    /// <summary>Sends the next message of a request, as soon as there is a message ID for it.</summary>
    private void SendFirst(CoapTransaction question, TimeSpan now)
    {
        question.GoesOn = question.IsAcknowledged = false;
        question.Sends = 0;
        question.NextSend = _messageIds.NextAt;
        question.GiveUp = TimeSpan.MaxValue;
        if (!_messageIds.TryTake(now, out ushort messageId))
        {
            return;
        }

        // 4 bytes that can't be guessed, and 4 that don't come again: RFC 7252 section 5.3.1, RFC 9175 section 4.
        CoapToken token = new(((ulong)_random.NextInt64(1L << 32) << 32) | _nextToken++, CoapToken.MaxLength);
        question.Write(messageId, token, _limits.MaxMessageBytes, _echo.AsSpan(0, _echoLength));
        question.FirstSent = now;
        question.Interval = _roundTrips.Timeout(now) * (1 + (AckRandomFactor * _random.NextDouble()));
        question.GiveUp = now + CoapClientLimits.MaxTransmitWait;
        question.NextSend = question.Request.IsConfirmable ? now + question.Interval : TimeSpan.MaxValue;
        Queue(question);
    }

    /// <summary>Within the span that the peer's memory counts on; where the next would be past that, its time is the end.</summary>
    private void SendAgain(CoapTransaction question, TimeSpan now)
    {
        if (now - question.FirstSent > CoapClientLimits.MaxTransmitSpan)
        {
            GiveUp(question, now);
            return;
        }

        question.Interval *= 2;
        question.NextSend = now + question.Interval;
        Queue(question);
    }

    private void Queue(CoapTransaction question)
    {
        question.Sends++;
        question.AllSends++;
        if (!question.IsQueued)
        {
            question.IsQueued = true;
            _toSend.Enqueue(question);
        }
    }

    /// <summary>Whatever is known of the path does not hold any more.</summary>
    private void GiveUp(CoapTransaction question, TimeSpan now)
    {
        _roundTrips.Forget();
        End(question, CoapFailure.NoAnswer, now);
    }

    private void End(CoapTransaction question, CoapFailure failure, TimeSpan now)
    {
        Remove(question);
        _answers.Enqueue(
            new CoapClientResponse(question.Id, failure, CoapCode.Empty, [], null, question.AllSends, now - question.Asked));
    }

    private void Remove(CoapTransaction question)
    {
        question.IsOver = true;
        _active.Remove(question);
    }
}
