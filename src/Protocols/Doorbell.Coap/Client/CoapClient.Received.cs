namespace Doorbell.Coap;

/// <content>What comes from the peer.</content>
public sealed partial class CoapClient
{
    /// <summary>An Echo option's longest value (RFC 9175 section 2.2.1).</summary>
    private const int MaxEchoBytes = 40;

    /// <summary>Acknowledgements and resets that wait to be sent; a peer that gets none sends again.</summary>
    private const int MaxNotices = 64;

    /// <summary>How many separate answers are known when they come again.</summary>
    private const int AnswersRemembered = 32;

    private readonly Queue<(CoapType Type, ushort MessageId)> _notices = new();
    private readonly byte[] _notice = new byte[CoapMessage.HeaderBytes];
    private readonly byte[] _echo = new byte[MaxEchoBytes];
    private readonly int[] _acknowledged = [.. Enumerable.Repeat(-1, AnswersRemembered)];
    private int _echoLength;
    private int _nextAcknowledged;

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

    private void ReceivedEmpty(in CoapMessage message, TimeSpan now)
    {
        CoapTransaction? question = message.Type == CoapType.Confirmable ? null : FindByMessageId(message.MessageId);
        if (question is null)
        {
            Refuse(message);
        }
        else if (message.Type == CoapType.Reset)
        {
            End(question, CoapFailure.Reset, now);
        }
        else
        {
            Acknowledge(question, now);
            question.NextSend = TimeSpan.MaxValue;
        }
    }

    private void ReceivedResponse(in CoapMessage message, TimeSpan now)
    {
        CoapTransaction? question = FindByToken(message.Token);
        if (question is null || (message.Type == CoapType.Acknowledgement && question.MessageId != message.MessageId))
        {
            if (message.Type == CoapType.Confirmable && Array.IndexOf(_acknowledged, message.MessageId) >= 0)
            {
                Ignored++;
                Notify(CoapType.Acknowledgement, message.MessageId);
                return;
            }

            Refuse(message);
            return;
        }

        Acknowledge(question, now);
        if (HasUnknownCriticalOption(message.Options))
        {
            Refuse(message);
            End(question, CoapFailure.OptionNotUnderstood, now);
            return;
        }

        if (message.Type == CoapType.Confirmable)
        {
            Notify(CoapType.Acknowledgement, message.MessageId);
            _acknowledged[_nextAcknowledged] = message.MessageId;
            _nextAcknowledged = (_nextAcknowledged + 1) % AnswersRemembered;
        }

        Answered(question, message, now);
    }

    /// <summary>
    /// The peer has the message under way: that is a measured round trip, once for each message. To a non-confirmable one nothing is said
    /// but the answer, which may take its time.
    /// </summary>
    private void Acknowledge(CoapTransaction question, TimeSpan now)
    {
        if (!question.IsAcknowledged)
        {
            question.IsAcknowledged = true;
            if (question.Request.IsConfirmable)
            {
                _roundTrips.Measured(now - question.FirstSent, question.Sends, now);
            }
        }
    }

    private void Answered(CoapTransaction question, in CoapMessage message, TimeSpan now)
    {
        bool hasEcho = KeepEcho(message);
        CoapBlock block = default;
        if (hasEcho && message.Code == CoapCode.Unauthorized && !question.HasEchoed)
        {
            GoOn(question);
            question.HasEchoed = true;
        }
        else if (question.AnswerLength == 0 && WantsMoreOfBody(question, message))
        {
            GoOn(question);
        }
        else if (message.Code == CoapCode.Continue || !TryReadBlock2(message, ref block) || !question.TryKeepBlock(message, block))
        {
            End(question, CoapFailure.AnswerBroken, now);
        }
        else if (question.AnswerLength + (block.More ? 0 : message.Payload.Length) > _limits.MaxAnswerBytes)
        {
            End(question, CoapFailure.AnswerTooLarge, now);
        }
        else if (block.More)
        {
            GoOn(question);
        }
        else
        {
            Complete(question, message, now);
        }
    }

    /// <summary>Its next message waits for its turn: another may be under way, if this answer came late (NSTART).</summary>
    private static void GoOn(CoapTransaction question)
    {
        question.GoesOn = true;
        question.HasEchoed = false;
        question.Sends = 0;
        question.NextSend = question.GiveUp = TimeSpan.MaxValue;
    }

    /// <summary>Whether the server has taken a block that more follow, or wants all anew in smaller ones (RFC 7959 section 2.9).</summary>
    private static bool WantsMoreOfBody(CoapTransaction question, in CoapMessage message)
    {
        if (!message.Options.TryGet(CoapOptionNumber.Block1, out CoapOption option) || !CoapBlock.TryRead(option, out CoapBlock block))
        {
            return false;
        }

        if (message.Code == CoapCode.RequestEntityTooLarge
            && question.BodyOffset == 0
            && block.SizeExponent < question.BlockExponent
            && block.Size < question.Request.Body.Length)
        {
            question.Restart(block.SizeExponent);
            return true;
        }

        // A server that takes each block for itself answers 2.04 and the like in place of 2.31. The number is that of the block sent,
        // whatever size is wanted from here on (RFC 7959 section 2.3).
        if (message.Code.Class != 2 || question.IsLastBlock || block.Number != question.Block.Number)
        {
            return false;
        }

        question.NextBlock(block.SizeExponent);
        return true;
    }

    private void Complete(CoapTransaction question, in CoapMessage message, TimeSpan now)
    {
        Remove(question);
        int? format = message.Options.TryGet(CoapOptionNumber.ContentFormat, out CoapOption option) ? (int)option.Numeric : null;
        byte[] body = question.TakeAnswer(message.Payload);
        _answers.Enqueue(
            new CoapClientResponse(question.Id, CoapFailure.None, message.Code, body, format, question.AllSends, now - question.Asked));
    }

    /// <summary>No block is the first and last. False if the option is broken.</summary>
    private static bool TryReadBlock2(in CoapMessage message, ref CoapBlock block) =>
        !message.Options.TryGet(CoapOptionNumber.Block2, out CoapOption option) || CoapBlock.TryRead(option, out block);

    /// <summary>A fresh value goes with every request from here on (RFC 9175 section 2.3).</summary>
    private bool KeepEcho(in CoapMessage message)
    {
        if (!message.Options.TryGet(CoapOptionNumber.Echo, out CoapOption echo) || echo.Value.Length is 0 or > MaxEchoBytes)
        {
            return false;
        }

        echo.Value.CopyTo(_echo);
        _echoLength = echo.Value.Length;
        return true;
    }

    private static bool HasUnknownCriticalOption(CoapOptions options)
    {
        foreach (CoapOption option in options)
        {
            if (CoapOptionNumber.IsCritical(option.Number) && option.Number is not (CoapOptionNumber.Block1 or CoapOptionNumber.Block2))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Nothing can be done with it: who sent it confirmably is told to stop (RFC 7252 section 4.2).</summary>
    private void Refuse(in CoapMessage message)
    {
        Ignored++;
        if (message.Type == CoapType.Confirmable)
        {
            Notify(CoapType.Reset, message.MessageId);
        }
    }

    private void Notify(CoapType type, ushort messageId)
    {
        if (_notices.Count < MaxNotices)
        {
            _notices.Enqueue((type, messageId));
        }
    }

    private bool TryTakeNotice(out ReadOnlySpan<byte> datagram)
    {
        if (!_notices.TryDequeue(out (CoapType Type, ushort MessageId) notice))
        {
            datagram = default;
            return false;
        }

        _ = new CoapWriter(_notice, notice.Type, CoapCode.Empty, notice.MessageId, default);
        datagram = _notice;
        return true;
    }

    private CoapTransaction? FindByMessageId(ushort messageId)
    {
        foreach (CoapTransaction question in _active)
        {
            if (question.Sends > 0 && question.MessageId == messageId)
            {
                return question;
            }
        }

        return null;
    }

    private CoapTransaction? FindByToken(CoapToken token)
    {
        foreach (CoapTransaction question in _active)
        {
            if (question.Sends > 0 && question.Token == token)
            {
                return question;
            }
        }

        return null;
    }
}
