using System.Buffers;
using System.Buffers.Binary;
using Doorbell.Coap;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>
/// One CoAP server and many clients that ask it, over links that lose, double and reorder; the state machines are those that the
/// command runs. Every question is the number of its effect, and its answer tells the number back.
/// </summary>
internal sealed class CoapWorld
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 5683);
    private static readonly LinkOptions _bad = new()
    {
        Loss = 0.3, Duplicate = 0.1, Reorder = 0.1, Delay = TimeSpan.FromMilliseconds(5), Jitter = TimeSpan.FromMilliseconds(4),
    };

    private readonly byte[] _effects;
    private readonly CoapServer _coap;

    public CoapWorld(SimulatedNetwork network, int clients, int exchangesEach, int maxExchanges = 1 << 20, CoapMutation mutation = default)
    {
        Network = network;
        Mutation = mutation;
        ExchangesEach = exchangesEach;
        network.DefaultLink = _bad;
        _effects = new byte[clients * exchangesEach];
        CoapServerLimits limits = CoapServerLimits.Default with
        {
            MaxExchanges = maxExchanges, MaxBodies = clients, MaxSeparateAnswers = clients,
        };
        _coap = new CoapServer(limits, new SimulatedSocketInfo(Endpoint.Parse("udp://127.0.0.1:5683"), network.Random));
        _coap.Add("count", new CoapResource(Count) { MaxAnswerBytes = 64 });
        _coap.Add("slow", new CoapResource(Count) { IsSlow = true, MaxAnswerBytes = 64 });
        _coap.Add("long", new CoapResource(CountLong) { MaxAnswerBytes = 4096 });
        network.BindDatagram(_server, new Service("coap") { NewDatagramHandler = _ => new CoapHandler(_coap) });
        Clients = [.. Enumerable.Range(0, clients).Select(number => new CoapWorldClient(this, number, _server))];
    }

    public SimulatedNetwork Network { get; }

    public CoapMutation Mutation { get; }

    public int ExchangesEach { get; }

    public CoapWorldClient[] Clients { get; }

    /// <summary>Lets it all happen, and looks whether what was promised was kept.</summary>
    public void RunAndCheck()
    {
        foreach (CoapWorldClient client in Clients)
        {
            client.AskNext();
        }

        Network.RunUntilIdle(int.MaxValue);
        foreach (CoapWorldClient client in Clients)
        {
            client.CheckEnd();
        }

        Assert.Equal((0, 0, 0), (_coap.Exchanges, _coap.Bodies, _coap.SeparateAnswers));
        Assert.Null(_coap.Deadline);
        if (Mutation != CoapMutation.ForgetsExchanges)
        {
            Assert.Equal(0, _coap.EvictedExchanges);
        }
    }

    /// <summary>How often a question has had its effect.</summary>
    public int Effects(int question) => _effects[question];

    private CoapCode Count(CoapRequest request, IBufferWriter<byte> body)
    {
        int question = BinaryPrimitives.ReadInt32BigEndian(request.Payload);
        Assert.Equal(1, ++_effects[question]);
        body.Write(request.Payload[..sizeof(int)]);
        return CoapCode.Changed;
    }

    private CoapCode CountLong(CoapRequest request, IBufferWriter<byte> body)
    {
        int question = BinaryPrimitives.ReadInt32BigEndian(request.Payload);
        Assert.Equal(1, ++_effects[question]);
        body.Write(request.Payload);
        return CoapCode.Changed;
    }
}
