using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A client that collects the answers of a multicast group's servers (RFC 7252 section 8).</summary>
public sealed class CoapCollectTests
{
    private static readonly CoapClientRequest _request = new()
    {
        Method = CoapCode.Get, Path = ".well-known/core", IsConfirmable = false, Collects = true,
    };

    private readonly CoapClient _client = new(
        CoapClientLimits.Default, new SimulatedSocketInfo(Endpoint.Parse("udp://224.0.1.187:5683"), new Random(1)));

    private readonly CoapSent _asked;
    private readonly long _id;

    public CoapCollectTests()
    {
        Assert.True(_client.TryAsk(_request, default, out _id));
        Assert.True(_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram));
        _asked = CoapSent.Read(datagram);
    }

    [Fact]
    public void Each_answer_is_told_and_none_is_acknowledged()
    {
        Assert.Equal((CoapType.NonConfirmable, ".well-known/core"), (_asked.Type, _asked.Path));
        Answer(CoapType.NonConfirmable, CoapCode.Content, "a");
        Answer(CoapType.Confirmable, CoapCode.Content, "b");
        Answer(CoapType.NonConfirmable, CoapCode.Unauthorized, "");
        Assert.Equal(["2.05 a", "2.05 b", "4.01 "], [Told(), Told(), Told()]);
        Assert.False(_client.TryTakeDatagram(out _));
    }

    [Fact]
    public void What_goes_on_in_blocks_is_told_as_cut()
    {
        Answer(CoapType.NonConfirmable, CoapCode.Content, new string('a', 16), (CoapOptionNumber.Block2, 8));
        Answer(CoapType.NonConfirmable, CoapCode.Content, new string('b', 16), (CoapOptionNumber.Block2, 0));
        Assert.Equal([$"2.05 {new string('a', 16)} …", $"2.05 {new string('b', 16)}"], [Told(), Told()]);
        Assert.False(_client.TryTakeDatagram(out _));
    }

    [Fact]
    public void What_answers_another_question_is_not_told_and_not_reset()
    {
        CoapSent other = _asked with { Token = CoapToken.From([1]) };
        _client.Received(other.Answer(CoapType.Confirmable, 5, CoapCode.Content, "a"), default);
        Assert.False(_client.TryTakeAnswer(out _));
        Assert.False(_client.TryTakeDatagram(out _));
    }

    [Fact]
    public void It_is_sent_once_and_ends_when_nobody_can_answer_any_more()
    {
        Answer(CoapType.NonConfirmable, CoapCode.Content, "a");
        Told();
        TimeSpan end = _client.Alarm!.Value;
        Assert.Equal(CoapClientLimits.MaxTransmitWait, end);
        _client.Tick(end);
        Assert.False(_client.TryTakeDatagram(out _));
        Assert.True(_client.TryTakeAnswer(out CoapClientResponse? last));
        Assert.Equal((CoapFailure.NoAnswer, false), (last.Failure, last.IsNotification));
        Assert.Equal((0, (TimeSpan?)null), (_client.Requests, _client.Alarm));
    }

    [Fact]
    public void Who_has_enough_gives_it_up()
    {
        _client.Cancel(_id, default);
        Assert.Equal((0, true), (_client.Requests, _client.IsAtRest));
        Answer(CoapType.NonConfirmable, CoapCode.Content, "a");
        Assert.False(_client.TryTakeAnswer(out _));
    }

    [Fact]
    public void A_group_is_not_asked_confirmably_and_not_observed()
    {
        Assert.Throws<ArgumentException>(() => _client.TryAsk(_request with { IsConfirmable = true }, default, out _));
        Assert.Throws<ArgumentException>(() => _client.TryAsk(_request with { Observes = true }, default, out _));
    }

    private void Answer(CoapType type, CoapCode code, string body, params (int Number, uint Value)[] options) =>
        _client.Received(_asked.Answer(type, 5, code, body, options), default);

    private string Told()
    {
        Assert.True(_client.TryTakeAnswer(out CoapClientResponse? answer));
        Assert.Equal((true, _id), (answer.IsNotification, answer.Id));
        return $"{answer.Code} {Encoding.UTF8.GetString(answer.Body)}{(answer.IsCut ? " …" : "")}";
    }
}
