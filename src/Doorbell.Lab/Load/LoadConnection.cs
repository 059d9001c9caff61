using System.Numerics;
using Doorbell.Sessions;

namespace Doorbell.Lab.Load;

/// <summary>A connection that asks: questions go out, answers are read and compared.</summary>
internal sealed class LoadConnection : StreamHandler
{
    private readonly LoadState _load;
    private readonly LoadPlace _place;
    private readonly LoadQuestion _question;
    private readonly AnswerForm _form;
    private readonly int _pipeline;
    private readonly long _firstNumber;

    /// <summary>When each question under way was due, a ring.</summary>
    private readonly long[] _since;
    private Bell? _bell;
    private long _asked;
    private long _written;
    private long _answered;

    /// <summary>Bytes of the answer that is being read.</summary>
    private long _had;
    private bool _isWrong;
    private long _progressAt;
    private string? _givenUp;

    /// <summary>Its one question is answered.</summary>
    private bool _isDone;

    public LoadConnection(LoadState load, LoadPlace place, ConnectOptions connecting)
    {
        _load = load;
        _place = place;
        _question = load.Options.Question;
        _form = load.Options.Answer;
        _pipeline = load.Options.Pipeline;
        _firstNumber = place.Numbers;
        _since = new long[BitOperations.RoundUpToPowerOf2((uint)_pipeline)];
        Request = new ConnectRequest(load.Options.Endpoint, this, connecting);
    }

    public ConnectRequest Request { get; }

    public override bool IsIdle => UnderWay == 0;

    public bool IsOpen => _bell is not null && _givenUp is null;

    public bool HasRoom => UnderWay < _pipeline;

    public int UnderWay => (int)(_asked - _answered);

    /// <summary>While a question is under way: when the last answer came, or when the question was taken.</summary>
    public long ProgressAt => _progressAt;

    /// <summary>Takes a question, to be written in its next turn.</summary>
    /// <param name="since">When it was due.</param>
    /// <param name="now">The time.</param>
    public void Take(long since, long now)
    {
        if (UnderWay == 0)
        {
            _progressAt = now;
        }

        _since[_asked++ & (_since.Length - 1)] = since;
        _place.Numbers++;
        _load.UnderWay++;
    }

    /// <summary>Has it write what it has taken.</summary>
    public void Ring() => _bell?.Ring();

    /// <summary>Resets it. What is under way has failed.</summary>
    public void GiveUp(string why)
    {
        if (_givenUp is null)
        {
            _givenUp = why;
            if (_bell is null)
            {
                Request.Outgoing.Cancel();
            }
            else
            {
                _bell.Ring();
            }
        }
    }

    public override Next OnOpen(Turn turn)
    {
        _bell = turn.Bell;
        _place.Opened(HasRoom);
        return OnRing(turn);
    }

    public override Next OnRing(Turn turn)
    {
        if (_givenUp is not null)
        {
            return Next.Abort;
        }

        Write(turn);
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (_form.Kind == AnswerKind.Nothing)
        {
            return Step.More(input.Length);
        }

        int consumed = 0;
        bool answered = false;
        long now = 0;
        while (consumed < input.Length)
        {
            if (_answered == _written)
            {
                _load.Tally.Failed("unasked", 1);
                GiveUp("unasked");
                return Step.Abort();
            }

            AnswerPart part = _form.Read(input[consumed..], _had, _question, _place.Asker, _firstNumber + _answered);
            consumed += part.Consumed;
            _had += part.Consumed;
            _isWrong |= part.IsWrong;
            if (!part.IsWhole)
            {
                break;
            }

            now = answered ? now : Nanoseconds.Now;
            answered = true;
            Complete(now);
            if (_load.Options.Reconnect)
            {
                return consumed < input.Length ? Unasked() : Over(consumed);
            }
        }

        if (answered)
        {
            _progressAt = now;
            AskMore(now, turn);
        }

        return Step.More(consumed);
    }

    public override Next OnFlushed(Turn turn)
    {
        if (_form.Kind == AnswerKind.Nothing && _answered < _written)
        {
            long now = Nanoseconds.Now;
            while (_answered < _written)
            {
                Complete(now);
            }

            _progressAt = now;
            if (_load.Options.Reconnect)
            {
                return Over(0).Next;
            }

            AskMore(now, turn);
        }

        return Next.Stay;
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        if (_form.Kind == AnswerKind.End && UnderWay == 1 && _written == 1)
        {
            Complete(Nanoseconds.Now);
            return Over(0).Next;
        }

        return Next.Close;
    }

    public override void OnClosed(CloseReason reason)
    {
        int lost = UnderWay;
        _answered = _asked;
        _load.UnderWay -= lost;
        ConnectFailure? failure = reason == CloseReason.ConnectFailed ? Request.Outgoing.Failure : null;
        _bell = null;
        _place.Closed(wasOpen: failure is null);
        if (!_isDone)
        {
            _place.Broken(failure is null ? lost : 1, failure?.Message, _givenUp ?? failure?.Error ?? KindOf(reason));
        }
    }

    private static string KindOf(CloseReason reason) => reason switch
    {
        CloseReason.Completed => "closed",
        CloseReason.PeerReset => "reset",
        _ => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(reason.ToString()),
    };

    private Step Unasked()
    {
        _load.Tally.Failed("unasked", 1);
        return Over(0) with { Next = Next.Abort };
    }

    /// <summary>Its one question is answered: its place is free for the next.</summary>
    private Step Over(int consumed)
    {
        _isDone = true;
        _place.Done();
        return Step.Close(consumed);
    }

    private void Complete(long now)
    {
        if (_isWrong)
        {
            _load.Tally.Failed("wrong", 1);
        }
        else
        {
            _load.Tally.Answered(_since[_answered & (_since.Length - 1)], now, _question.Length, _had);
        }

        _answered++;
        _load.UnderWay--;
        _had = 0;
        _isWrong = false;
    }

    private void AskMore(long now, Turn turn)
    {
        while (HasRoom && _load.Schedule.TryTake(now, out long since))
        {
            Take(since, now);
        }

        Write(turn);
        if (HasRoom)
        {
            _place.Freed();
        }
    }

    private void Write(Turn turn)
    {
        for (; _written < _asked; _written++)
        {
            _question.Write(turn.Output.GetSpan(_question.Length), _place.Asker, _firstNumber + _written);
            turn.Output.Advance(_question.Length);
        }
    }
}
