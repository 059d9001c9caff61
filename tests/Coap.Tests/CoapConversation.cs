using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A client and what it says, in a time that the test moves.</summary>
internal sealed class CoapConversation(CoapClientLimits? limits = null)
{
    public CoapClient Client { get; } = new(limits ?? CoapClientLimits.Default, TestSocket.Of(1));

    public TimeSpan Now { get; private set; }

    public long Ask(string path, string text, bool confirmable = true) => Ask(new CoapClientRequest
    {
        Method = CoapCode.Post,
        Path = path,
        Body = Encoding.UTF8.GetBytes(text),
        IsConfirmable = confirmable,
    });

    public long Ask(CoapClientRequest request)
    {
        Assert.True(Client.TryAsk(request, Now, out long id));
        return id;
    }

    public void Receive(ReadOnlySpan<byte> datagram) => Client.Received(datagram, Now);

    /// <summary>The one datagram that it sends now.</summary>
    public CoapSent Sent()
    {
        Assert.True(Client.TryTakeDatagram(out ReadOnlySpan<byte> datagram));
        return CoapSent.Read(datagram);
    }

    public (CoapType Type, int MessageId) SentEmpty()
    {
        CoapSent sent = Sent();
        Assert.Equal(CoapCode.Empty, sent.Code);
        return (sent.Type, sent.MessageId);
    }

    /// <summary>As <see cref="Sent"/>, after its alarm if it does not send at once.</summary>
    public CoapSent SentWhenItMay()
    {
        if (!Client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
        {
            Now = Client.Alarm!.Value;
            Client.Tick(Now);
            return Sent();
        }

        return CoapSent.Read(datagram);
    }

    public string Answered() => !Client.TryTakeAnswer(out CoapClientResponse? answer) ? "nothing"
        : answer.Failure != CoapFailure.None ? $"{answer.Failure}"
        : $"{answer.Code} {Encoding.UTF8.GetString(answer.Body)}";

    /// <summary>Lets the time run, and tells when it sent.</summary>
    public List<TimeSpan> SentUntil(TimeSpan end)
    {
        List<TimeSpan> times = [];
        TakeAll(times);
        while (Client.Alarm is { } alarm && alarm <= end)
        {
            Now = alarm;
            Client.Tick(Now);
            TakeAll(times);
        }

        Now = end > Now && end != TimeSpan.MaxValue ? end : Now;
        return times;
    }

    /// <summary>Lets the time run until it has nothing more to do.</summary>
    public List<TimeSpan> RunUntilAnswered() => SentUntil(TimeSpan.MaxValue);

    public void MeasureRoundTrip(TimeSpan roundTrip)
    {
        Ask("upper", "known");
        CoapSent sent = Sent();
        Now += roundTrip;
        Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, "KNOWN"));
        Assert.Equal("2.04 KNOWN", Answered());
    }

    private void TakeAll(List<TimeSpan> times)
    {
        while (Client.TryTakeDatagram(out _))
        {
            times.Add(Now);
        }
    }
}
