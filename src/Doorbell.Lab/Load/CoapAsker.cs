using System.Text.Json;
using Doorbell.Coap;
using Doorbell.Serving;

namespace Doorbell.Lab.Load;

/// <summary>Asks CoAP requests, which its client sends again if they get lost.</summary>
internal sealed class CoapAsker : DatagramAsker
{
    private readonly CoapClientRequest _request;
    private readonly LoadQuestion _question;
    private readonly CoapClient _client;

    /// <summary>Requests under way, by the client's ID: the question's number, when it was due, and when it was asked.</summary>
    private readonly Dictionary<long, (long Number, long Since, long AskedAt)> _asked = [];

    public CoapAsker(LoadState load, int asker, CoapClientRequest request)
        : base(load, asker)
    {
        _request = request;
        _question = load.Options.Question;
        CoapClientLimits limits = new() { MaxOutstanding = load.Options.Pipeline, MaxRequests = load.Options.Pipeline };
        _client = new CoapClient(limits, new DoorSocketInfo(load.Options.Endpoint, default));
    }

    public override int UnderWay => _asked.Count;

    private bool HasBody => _request.Method != CoapCode.Get && _request.Method != CoapCode.Delete;

    public override AskOutcome Ask(long since, long now)
    {
        byte[] body = HasBody ? new byte[_question.Length] : [];
        if (HasBody)
        {
            _question.Write(body, Asker, Numbers);
        }

        if (!_client.TryAsk(_request with { Body = body }, Nanoseconds.ToTime(now), out long id))
        {
            return AskOutcome.NoRoom;
        }

        _asked.Add(id, (Numbers++, since, now));
        Load.UnderWay++;
        Advance(now);
        return AskOutcome.Asked;
    }

    public override void Received(ReadOnlySpan<byte> datagram, long now)
    {
        _client.Received(datagram, Nanoseconds.ToTime(now));
        Advance(now);
    }

    public override void LookAround(long now, long latest, bool all)
    {
        _client.Tick(Nanoseconds.ToTime(now));
        Advance(now);
        if (_asked.Values.Any(asked => all || asked.AskedAt < latest))
        {
            foreach ((long id, _) in _asked.Where(asked => all || asked.Value.AskedAt < latest).ToArray())
            {
                _asked.Remove(id);
                _client.Cancel(id, Nanoseconds.ToTime(now));
                Load.UnderWay--;
                Load.Tally.Failed("timeout", 1);
            }
        }
    }

    protected override int ForgetAll()
    {
        int lost = _asked.Count;
        foreach (long id in _asked.Keys)
        {
            _client.Cancel(id, Nanoseconds.ToTime(Nanoseconds.Now));
        }

        _asked.Clear();
        Load.UnderWay -= lost;
        return lost;
    }

    /// <summary>Sends what is to be sent, and counts what is answered. What the system does not take now is sent again later.</summary>
    private void Advance(long now)
    {
        while (_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
        {
            if (Send(datagram) == AskOutcome.Failed)
            {
                break;
            }
        }

        while (_client.TryTakeAnswer(out CoapClientResponse? response))
        {
            if (_asked.Remove(response.Id, out (long Number, long Since, long AskedAt) asked))
            {
                Load.UnderWay--;
                Count(response, asked.Number, asked.Since, now);
            }
        }
    }

    private void Count(CoapClientResponse response, long number, long since, long now)
    {
        if (response.Failure != CoapFailure.None)
        {
            Load.Tally.Failed(JsonNamingPolicy.CamelCase.ConvertName(response.Failure.ToString()), 1);
        }
        else if (response.Code.Class != 2)
        {
            Load.Tally.Failed(response.Code.ToString(), 1);
        }
        else if (Load.Options.Answer is { IsCompared: true } form && !(response.Body.Length == _question.Length
            && _question.IsAnswer(response.Body, 0, Asker, number, form.Kind == AnswerKind.Capitals)))
        {
            Load.Tally.Failed("wrong", 1);
        }
        else
        {
            Load.Tally.Answered(since, now, HasBody ? _question.Length : 0, response.Body.Length);
        }
    }
}
