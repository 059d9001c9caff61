using System.Buffers.Binary;
using Doorbell.Coap;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A client of <see cref="CoapWorld"/>: asks one question after the other and checks each answer.</summary>
internal sealed class CoapWorldClient
{
    private const int LongBytes = 2500;

    /// <summary>Doubling from 10 milliseconds within MAX_TRANSMIT_SPAN.</summary>
    private const int MaxSends = 14;

    private readonly CoapWorld _world;
    private readonly CoapClient _client;
    private readonly SimulatedDatagramSocket _socket;
    private readonly PeerAddress _server;
    private readonly byte[] _lastSent = new byte[12];
    private readonly int _first;
    private int _asked;
    private long _asking;
    private bool _confirmable;
    private TimeSpan _lastSentAt;
    private TimeSpan _lastWait;
    private int _sends;

    public CoapWorldClient(CoapWorld world, int number, PeerAddress server)
    {
        _world = world;
        _server = server;
        _first = number * world.ExchangesEach;
        SimulatedSocketInfo socket = new(Endpoint.From(Transport.Udp, server.ToIPEndPoint()), server, world.Network.Random);
        _client = new CoapClient(CoapClientLimits.Default, socket);
        _socket = world.Network.BindDatagram(PeerAddress.IPv4(0x0a010000 + (uint)number, 4000), Receive);
        _socket.AlarmDue = Ring;
    }

    public int Answered { get; private set; }

    public int Failed { get; private set; }

    private int Question => _first + _asked - 1;

    public void AskNext()
    {
        int kind = _world.Network.Random.Next(100);
        byte[] body = new byte[kind < 2 ? LongBytes : sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(body, _first + _asked++);
        _confirmable = kind < 90;
        CoapClientRequest request = new()
        {
            Method = CoapCode.Post,
            Path = kind < 2 ? "long" : kind < 12 ? "slow" : "count",
            Body = body,
            IsConfirmable = _confirmable,
        };
        Assert.True(_client.TryAsk(request, _world.Network.Now, out _asking));
        Move();
    }

    /// <summary>Every question has ended once, and nothing is left.</summary>
    public void CheckEnd()
    {
        Assert.Equal(_world.ExchangesEach, Answered + Failed);
        Assert.Equal((0, null), (_client.Requests, _client.Alarm));
        Assert.False(_client.TryTakeDatagram(out _));
    }

    private void Receive(ReadOnlySpan<byte> datagram, PeerAddress from, TimeSpan now)
    {
        if (_world.Mutation == CoapMutation.IgnoresTokens && datagram.Length >= _lastSent.Length && (datagram[0] & 15) == 8)
        {
            byte[] forged = datagram.ToArray();
            _lastSent.AsSpan(4).CopyTo(forged.AsSpan(4));
            datagram = forged;
        }

        _client.Received(datagram, now);
        Move();
    }

    private void Ring()
    {
        _client.Tick(_world.Network.Now);
        if (_world.Mutation == CoapMutation.NeverBacksOff && _sends > 0 && _client.Requests > 0)
        {
            Send(_lastSent);
        }

        Move();
    }

    private void Move()
    {
        while (_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
        {
            Send(datagram);
        }

        _socket.Alarm = _client.Alarm;
        while (_client.TryTakeAnswer(out CoapClientResponse? answer))
        {
            Check(answer);
            if (_asked < _world.ExchangesEach)
            {
                TimeSpan thinks = TimeSpan.FromMilliseconds(_world.Network.Random.Next(2000));
                _world.Network.After(thinks, AskNext);
            }
        }
    }

    private void Check(CoapClientResponse answer)
    {
        Assert.Equal(_asking, answer.Id);
        int effects = _world.Effects(Question);
        if (answer.Failure == CoapFailure.None)
        {
            Answered++;
            Assert.Equal(CoapCode.Changed, answer.Code);
            Assert.Equal((Question, 1), (BinaryPrimitives.ReadInt32BigEndian(answer.Body), effects));
        }
        else
        {
            Failed++;
            Assert.Equal(CoapFailure.NoAnswer, answer.Failure);
            Assert.InRange(effects, 0, 1);
        }
    }

    /// <summary>Each message's waits at least double, and it is not sent for ever.</summary>
    private void Send(ReadOnlySpan<byte> datagram)
    {
        TimeSpan now = _world.Network.Now;
        bool isRequest = datagram.Length >= _lastSent.Length;
        if (isRequest && datagram[.._lastSent.Length].SequenceEqual(_lastSent))
        {
            TimeSpan wait = now - _lastSentAt;
            Assert.True(wait >= _lastWait * 1.99, $"sent again after {wait}, before that after {_lastWait}");
            Assert.InRange(++_sends, 1, MaxSends);
            Assert.True(_confirmable);
            _lastWait = wait;
            _lastSentAt = now;
        }
        else if (isRequest)
        {
            datagram[.._lastSent.Length].CopyTo(_lastSent);
            (_sends, _lastWait, _lastSentAt) = (1, TimeSpan.Zero, now);
        }

        _socket.Send(_server, datagram);
    }
}
