using System.Diagnostics.CodeAnalysis;
using Doorbell.Coap.Client;
using Doorbell.Coap.Codec;
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
public sealed class CoapClient
{
    private const double AckRandomFactor = 0.5;

    private readonly CoapClientLimits _limits;
    private readonly CoapRandom _random;
    private readonly CoapMessageIds _messageIds;
    private readonly RoundTripEstimator _roundTrips;
    private readonly CoapTransactions _active = new();
    private readonly Queue<CoapTransaction> _waiting = new();
    private readonly Queue<CoapTransaction> _toSend = new();
    private readonly CoapOutcomes _outcomes;
    private readonly CoapNotices _notices;
    private readonly CoapResponses _responses;
    private long _nextId;
    private uint _nextToken;

    /// <summary>A client that has sent nothing yet.</summary>
    /// <param name="limits">Its bounds.</param>
    /// <param name="socket">Its socket: the source of its first message ID, its tokens and its jitter, which others must not guess.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound makes no sense.</exception>
    public CoapClient(CoapClientLimits limits, DatagramSocketInfo socket)
    {
        limits.Validate();
        _limits = limits;
        _random = new CoapRandom(socket);
        _notices = new CoapNotices(CoapGroupAddress.Is(socket.Door));
        _outcomes = new CoapOutcomes(limits, _active, _random);
        _responses = new CoapResponses(limits, _outcomes);
        _messageIds = new CoapMessageIds((ushort)_random.NextUInt32());
        _roundTrips = new RoundTripEstimator(limits.FirstContactTimeout, limits.MinTimeout);
        _nextToken = _random.NextUInt32();
    }

    /// <summary>Requests without a response yet.</summary>
    public int Requests => _active.Told + _waiting.Count;

    /// <summary>What the peer's round trips have taken so far.</summary>
    public RoundTripEstimator RoundTrips => _roundTrips;

    /// <summary>Datagrams that belonged to no request: late, doubled, forged or broken.</summary>
    public long Ignored { get; private set; }

    /// <summary>When <see cref="Tick"/> is to be called; null for never.</summary>
    public TimeSpan? Alarm => _active.Due;

    /// <summary>Whether there is nothing more to send, not even that an observation has ended.</summary>
    internal bool IsAtRest => _active.Count + _waiting.Count == 0;

    /// <summary>Begins a request.</summary>
    /// <param name="request">The request; its body is not to be changed before the response.</param>
    /// <param name="now">Since any start; never goes back.</param>
    /// <param name="id">The ID that the response will carry.</param>
    /// <returns>False if <see cref="CoapClientLimits.MaxRequests"/> have no response yet.</returns>
    /// <exception cref="ArgumentException">No method, a part longer than 255 bytes, or options that fit no datagram.</exception>
    public bool TryAsk(CoapClientRequest request, TimeSpan now, out long id)
    {
        int exponent = _limits.BlockExponentFor(request);
        id = _nextId;
        if (Requests >= _limits.MaxRequests)
        {
            return false;
        }

        _waiting.Enqueue(new CoapTransaction(_nextId++, request, exponent, now));
        StartWaiting(now);
        return true;
    }

    /// <summary>
    /// Gives a request up: its response is told to nobody. Whether it had its effect is unknown. The server is told that an observation has
    /// ended.
    /// </summary>
    /// <param name="id">The ID of the request; one that has ended already is left alone.</param>
    /// <param name="now">The time.</param>
    public void Cancel(long id, TimeSpan now)
    {
        if (_active.Find(id) is { } active)
        {
            _outcomes.Remove(active);
            _outcomes.EndObservation(active, now);
            StartWaiting(now);
            return;
        }

        for (int left = _waiting.Count; left > 0; left--)
        {
            CoapTransaction transaction = _waiting.Dequeue();
            if (transaction.Id != id)
            {
                _waiting.Enqueue(transaction);
            }
        }
    }

    /// <summary>Time has passed: sends again, or gives up, what is due.</summary>
    /// <param name="now">The time.</param>
    public void Tick(TimeSpan now)
    {
        for (int i = _active.Count - 1; i >= 0; i--)
        {
            if (i >= _active.Count)
            {
                continue; // giving one up has removed another
            }

            CoapTransaction transaction = _active[i];
            if (transaction.GiveUp <= now)
            {
                GiveUp(transaction, now);
            }
            else if (transaction.NextSend <= now)
            {
                if (transaction.IsRegistered && transaction.IsAcknowledged)
                {
                    transaction.Continue();
                }
                else if (transaction.Sends == 0)
                {
                    SendFirst(transaction, now);
                }
                else
                {
                    SendAgain(transaction, now);
                }
            }
        }

        StartWaiting(now);
    }

    /// <summary>A datagram has come from the peer.</summary>
    /// <param name="datagram">Lent for the call.</param>
    /// <param name="now">The time.</param>
    public void Received(ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        CoapFormatError error = CoapMessage.TryRead(datagram, out CoapMessage message);
        if (error is CoapFormatError.TooShort or CoapFormatError.UnknownVersion)
        {
            Ignored++;
        }
        else if (error != CoapFormatError.None || message.Code.IsRequest)
        {
            Refuse(message);
        }
        else if (message.Code == CoapCode.Empty)
        {
            ReceivedEmpty(message, now);
        }
        else
        {
            ReceivedResponse(message, now);
        }

        StartWaiting(now);
    }

    /// <summary>What is to be sent to the peer.</summary>
    /// <param name="datagram">Valid until the next call of this client.</param>
    /// <returns>False if there is nothing more now.</returns>
    public bool TryTakeDatagram(out ReadOnlySpan<byte> datagram)
    {
        if (_notices.TryTake(out datagram))
        {
            return true;
        }

        while (_toSend.TryDequeue(out CoapTransaction? transaction))
        {
            transaction.IsQueued = false;
            if (!transaction.IsOver && !transaction.IsAcknowledged)
            {
                datagram = transaction.Datagram;
                return true;
            }
        }

        return false;
    }

    /// <summary>How a request ended.</summary>
    /// <param name="response">The response, or why there is none.</param>
    /// <returns>False if no more have ended.</returns>
    public bool TryTakeAnswer([NotNullWhen(true)] out CoapClientResponse? response) => _outcomes.TryTake(out response);

    private void StartWaiting(TimeSpan now)
    {
        while (_active.Outstanding < _limits.MaxOutstanding && TryNext(out CoapTransaction? transaction))
        {
            SendFirst(transaction, now);
        }
    }

    /// <summary>A request that has begun goes on before another begins.</summary>
    private bool TryNext([NotNullWhen(true)] out CoapTransaction? transaction)
    {
        transaction = _active.Continued;
        if (transaction is null && _waiting.TryDequeue(out transaction))
        {
            _active.Add(transaction);
        }

        return transaction is not null;
    }

    /// <summary>Sends the next message of a request, as soon as there is a message ID for it.</summary>
    private void SendFirst(CoapTransaction transaction, TimeSpan now)
    {
        transaction.IsContinued = transaction.IsAcknowledged = false;
        transaction.Sends = 0;
        transaction.NextSend = _messageIds.NextAt;
        transaction.GiveUp = TimeSpan.MaxValue;
        if (!_messageIds.TryTake(now, out ushort messageId))
        {
            return;
        }

        // 4 bytes that can't be guessed, and 4 that don't come again: RFC 7252 section 5.3.1, RFC 9175 section 4.
        CoapToken token = transaction.KeptToken
            ?? new CoapToken(((ulong)_random.NextUInt32() << 32) | _nextToken++, CoapToken.MaxLength);
        transaction.Write(messageId, token, _limits.MaxMessageBytes, _responses.Echo);
        transaction.FirstSent = now;
        transaction.Interval = FirstWait(now) * (1 + (AckRandomFactor * _random.NextDouble()));
        transaction.GiveUp = now + CoapClientLimits.MaxTransmitWait;
        transaction.NextSend = transaction.Request.IsConfirmable ? now + transaction.Interval : TimeSpan.MaxValue;
        Queue(transaction);
    }

    /// <summary>
    /// The wait before jitter. It is at most that of first contact, by which a message is sent five times within the span (RFC 7252 section
    /// 4.8.2). A longer first wait would leave less than that, as the waits double.
    /// </summary>
    private TimeSpan FirstWait(TimeSpan now)
    {
        TimeSpan measured = _roundTrips.Timeout(now);
        return measured < _limits.FirstContactTimeout ? measured : _limits.FirstContactTimeout;
    }

    /// <summary>
    /// Sends a message again, within the span that the peer's memory of it counts on; when the next time would be past that, the request
    /// ends at that time.
    /// </summary>
    private void SendAgain(CoapTransaction transaction, TimeSpan now)
    {
        if (now - transaction.FirstSent > CoapClientLimits.MaxTransmitSpan)
        {
            GiveUp(transaction, now);
            return;
        }

        transaction.Interval *= 2;
        transaction.NextSend = now + transaction.Interval;
        Queue(transaction);
    }

    private void Queue(CoapTransaction transaction)
    {
        transaction.Sends++;
        transaction.AllSends++;
        if (!transaction.IsQueued)
        {
            transaction.IsQueued = true;
            _toSend.Enqueue(transaction);
        }
    }

    /// <summary>Gives a request up; what is known of the path does not hold any more.</summary>
    private void GiveUp(CoapTransaction transaction, TimeSpan now)
    {
        _roundTrips.Forget();
        _outcomes.End(transaction, CoapFailure.NoAnswer, now);
    }

    private void ReceivedEmpty(in CoapMessage message, TimeSpan now)
    {
        CoapTransaction? transaction = message.Type == CoapType.Confirmable ? null : _active.FindByMessageId(message.MessageId);
        if (transaction is null)
        {
            Refuse(message);
        }
        else if (message.Type == CoapType.Reset)
        {
            _outcomes.End(transaction, CoapFailure.Reset, now);
        }
        else
        {
            Acknowledge(transaction, message, now);
            transaction.NextSend = TimeSpan.MaxValue;
        }
    }

    private void ReceivedResponse(in CoapMessage message, TimeSpan now)
    {
        CoapTransaction? transaction = _active.FindByToken(message.Token);
        if (transaction is null || (message.Type == CoapType.Acknowledgement && transaction.MessageId != message.MessageId))
        {
            if (message.Type == CoapType.Confirmable && _notices.TryAcknowledgeAgain(message.MessageId))
            {
                Ignored++;
                return;
            }

            Refuse(message);
            return;
        }

        if (transaction.Request.Collects)
        {
            transaction.IsAcknowledged = true;
            _outcomes.Collect(transaction, message, now);
            return;
        }

        if (transaction.EndsObservation is not null && message.Type != CoapType.Acknowledgement && IsNotification(message))
        {
            Refuse(message);
            return;
        }

        Acknowledge(transaction, message, now);
        if (CoapResponses.HasUnknownCriticalOption(message.Options))
        {
            Refuse(message);
            _outcomes.End(transaction, CoapFailure.OptionNotUnderstood, now);
            return;
        }

        if (message.Type == CoapType.Confirmable)
        {
            _notices.Acknowledge(message.MessageId);
        }

        _responses.Take(transaction, message, now);
    }

    /// <summary>
    /// The peer has the message under way: that is a measured round trip, once for each message. A non-confirmable message is not
    /// acknowledged, and its response may take its time, so it measures nothing.
    /// </summary>
    private void Acknowledge(CoapTransaction transaction, in CoapMessage message, TimeSpan now)
    {
        // A notification that comes while we register again does not answer that.
        bool isNotification = transaction.IsRegistered && message.Type != CoapType.Acknowledgement;
        if (!transaction.IsAcknowledged && !isNotification)
        {
            transaction.IsAcknowledged = true;
            if (transaction.Request.IsConfirmable)
            {
                _roundTrips.Measured(now - transaction.FirstSent, transaction.Sends, now);
            }
        }
    }

    /// <summary>Nothing can be done with the message: the sender of a confirmable one is told to stop (RFC 7252 section 4.2), and so is
    /// that of a notification, which would send more of them (RFC 7641 section 3.6).</summary>
    private void Refuse(in CoapMessage message)
    {
        Ignored++;
        if (message.Type == CoapType.Confirmable || (message.Type == CoapType.NonConfirmable && IsNotification(message)))
        {
            _notices.Reset(message.MessageId);
        }
    }

    private static bool IsNotification(in CoapMessage message) =>
        message.Code.IsResponse && message.Options.TryGet(CoapOptionNumber.Observe, out _);
}
