namespace Doorbell.Lab.Load;

/// <summary>
/// Asks plain datagrams. If the answer holds the question's number, several may be under way, and an answer that comes too late is known.
/// Otherwise one is under way, and a socket on which one got lost is replaced.
/// </summary>
internal sealed class PlainAsker(LoadState load, int asker) : DatagramAsker(load, asker)
{
    /// <summary>So many are remembered that were given up.</summary>
    private const int MaxLate = 65_536;

    private readonly LoadQuestion _question = load.Options.Question;
    private readonly AnswerForm _form = load.Options.Answer;
    private readonly bool _isNumbered = load.Options.Question.IsNumbered && load.Options.Answer.IsCompared;
    private readonly byte[] _bytes = new byte[load.Options.Question.Length];

    /// <summary>When each question under way was due, by its number.</summary>
    private readonly Dictionary<long, long> _since = [];

    /// <summary>Questions and when they were sent, the oldest first; some of them are answered.</summary>
    private readonly Queue<(long Number, long SentAt)> _sent = new();
    private readonly HashSet<long> _givenUp = [];

    public override int UnderWay => _since.Count;

    public override AskOutcome Ask(long since, long now)
    {
        _question.Write(_bytes, Asker, Numbers);
        AskOutcome outcome = Send(_bytes);
        if (outcome != AskOutcome.Asked)
        {
            return outcome;
        }

        if (_form.Kind == AnswerKind.Nothing)
        {
            Load.Tally.Answered(since, Nanoseconds.Now, _bytes.Length, 0);
        }
        else
        {
            _since.Add(Numbers, since);
            _sent.Enqueue((Numbers, now));
            Load.UnderWay++;
        }

        Numbers++;
        return AskOutcome.Asked;
    }

    public override void Received(ReadOnlySpan<byte> datagram, long now)
    {
        if (_form.Kind == AnswerKind.Nothing)
        {
            return;
        }

        bool isLong = datagram.Length == _question.Length;
        long number = !_isNumbered ? Numbers - 1 : isLong ? LoadQuestion.NumberOf(datagram, IsCapitals) : -1;
        if (!_since.Remove(number, out long since))
        {
            // Who answers twice, or what nobody asked, is not believed; what was given up is only late.
            Load.Tally.Failed(_givenUp.Remove(number) ? "late" : number >= 0 && number < Numbers ? "doubled" : "wrong", 1);
            return;
        }

        Load.UnderWay--;
        if (_form.IsCompared && !(isLong && _question.IsAnswer(datagram, 0, Asker, number, IsCapitals)))
        {
            Load.Tally.Failed("wrong", 1);
        }
        else
        {
            Load.Tally.Answered(since, now, _question.Length, datagram.Length);
        }
    }

    public override void LookAround(long now, long latest, bool all)
    {
        while (_sent.TryPeek(out (long Number, long SentAt) oldest)
            && (all || oldest.SentAt < latest || !_since.ContainsKey(oldest.Number)))
        {
            _sent.Dequeue();
            if (_since.Remove(oldest.Number))
            {
                Load.UnderWay--;
                Load.Tally.Failed("timeout", 1);
                IsTainted |= !_isNumbered;
                if (_isNumbered && _givenUp.Count < MaxLate)
                {
                    _givenUp.Add(oldest.Number);
                }
            }
        }
    }

    protected override int ForgetAll()
    {
        int lost = _since.Count;
        Load.UnderWay -= lost;
        _since.Clear();
        _sent.Clear();
        return lost;
    }

    private bool IsCapitals => _form.Kind == AnswerKind.Capitals;
}
