using System.Globalization;
using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>A slow resource's request is acknowledged first and answered in a message of its own (RFC 7252 section 5.2.2).</summary>
public sealed class CoapSeparateTests
{
    private int _effects;

    [Fact]
    public void The_acknowledgement_comes_first_and_then_the_answer_until_it_is_acknowledged()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("ACK 0.00", peer.Post("slow", "hello"));
        Assert.Equal((0, default(TimeSpan)), (_effects, server.Deadline));
        Assert.Equal("CON 2.04 HELLO", Due(server, 0));
        Assert.Equal((1, 1), (_effects, server.SeparateAnswers));
        byte[] answer = Sent(server, server.Deadline!.Value);
        Assert.Equal("CON 2.04 HELLO", CoapPeer.Show(answer));
        Acknowledge(server, answer, CoapType.Acknowledgement);
        Assert.Equal((1, 0), (_effects, server.SeparateAnswers));
    }

    [Fact]
    public void A_duplicate_is_acknowledged_again_and_has_no_second_effect()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        peer.Post("slow", "hello");
        Assert.Equal("ACK 0.00", peer.SendAgain());
        Assert.Equal("CON 2.04 HELLO", Due(server, 0));
        Assert.Equal("ACK 0.00", peer.SendAgain());
        Assert.Equal("", Due(server, 0));
        Assert.Equal(1, _effects);
    }

    [Fact]
    public void It_is_sent_five_times_with_twice_the_interval_each_and_then_given_up()
    {
        CoapServer server = NewServer();
        new CoapPeer(server, CoapPeer.Near).Post("slow", "hello");
        List<TimeSpan> sent = [];
        while (server.SeparateAnswers > 0 && sent.Count < 10)
        {
            TimeSpan due = server.Deadline!.Value;
            if (Sent(server, due).Length > 0)
            {
                sent.Add(due);
            }
        }

        Assert.Equal((5, 1, 1), (sent.Count, (int)server.Counts.UnacknowledgedAnswers, _effects));
        Assert.InRange(sent[1] - sent[0], TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        for (int i = 2; i < 5; i++)
        {
            Assert.Equal((sent[i - 1] - sent[i - 2]) * 2, sent[i] - sent[i - 1]);
        }
    }

    /// <summary>Each in its turn would take the room for hours, and have effects long after its client has given up.</summary>
    [Fact]
    public void Who_acknowledges_no_answer_loses_those_behind_it()
    {
        CoapServer server = NewServer();
        CoapPeer gone = new(server, CoapPeer.Near);
        gone.Post("slow", "first");
        gone.Post("slow", "second");
        TimeSpan end = TimeSpan.FromSeconds(93);
        while (server.SeparateAnswers > 0 && server.Deadline <= end)
        {
            gone.Now = server.Deadline.Value;
            Assert.Contains(CoapPeer.Show(Sent(server, gone.Now)), new[] { "", "CON 2.04 FIRST" });
        }

        Assert.Equal((0, 2, 1), (server.SeparateAnswers, (int)server.Counts.UnacknowledgedAnswers, _effects));
        gone.Post("slow", "third");
        Assert.Equal("CON 2.04 THIRD", CoapPeer.Show(Sent(server, gone.Now)));
    }

    [Fact]
    public void A_reset_ends_it_too()
    {
        CoapServer server = NewServer();
        new CoapPeer(server, CoapPeer.Near).Post("slow", "hello");
        Acknowledge(server, Sent(server, default), CoapType.Reset);
        Assert.Equal(0, server.SeparateAnswers);
    }

    [Fact]
    public void One_peer_gets_one_after_the_other()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        peer.Post("slow", "one");
        peer.Post("slow", "two");
        new CoapPeer(server, PeerAddress.IPv4(0x7f000001, 2)).Post("slow", "other");
        byte[] first = Sent(server, default);
        Assert.Equal("CON 2.04 ONE", CoapPeer.Show(first));
        Assert.Equal("CON 2.04 OTHER", Due(server, 0));
        Assert.Equal("", Due(server, 0));
        Acknowledge(server, first, CoapType.Acknowledgement);
        Assert.Equal("CON 2.04 TWO", Due(server, 0));
    }

    [Fact]
    public void A_non_confirmable_one_is_answered_once_and_not_confirmably()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal("", peer.Send(CoapType.NonConfirmable, CoapCode.Post, "slow", "hello"u8.ToArray()));
        Assert.Equal("NON 2.04 HELLO", Due(server, 0));
        Assert.Equal("", peer.SendAgain());
        Assert.Equal((1, 0), (_effects, server.SeparateAnswers));
    }

    [Fact]
    public void Bodies_in_blocks_go_and_come_with_it()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        string body = new('y', 1500);
        peer.PostBlock("slow", body, 0, 6);
        Assert.Equal("ACK 0.00", peer.PostBlock("slow", body, 1, 6));
        Assert.Equal($"CON 2.04 b2=0/more/1024 b1=1/last/1024 size2=1500 {new string('Y', 1024)}", Due(server, 0));
        Assert.Equal($"ACK 2.04 b2=1/last/1024 {new string('Y', 476)}", peer.Post("slow", "", CoapPeer.Block2(1, 6)));
        Assert.Equal(1, _effects);
    }

    [Fact]
    public void With_no_room_it_is_refused_before_its_effect()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        Assert.Equal(["ACK 0.00", "ACK 0.00", "ACK 0.00", "ACK 5.03"], Enumerable.Range(0, 4).Select(_ => peer.Post("slow", "hello")));
    }

    [Fact]
    public void What_it_throws_is_thrown_and_answered_5_00()
    {
        CoapServer server = NewServer();
        new CoapPeer(server, CoapPeer.Near).Post("slow", "throw");
        Assert.Throws<InvalidOperationException>(() => server.TryTakeDue(default, default, out _, out _));
        Assert.Equal("CON 5.00", Due(server, 0));
        Assert.Equal(1, _effects);
    }

    /// <summary>On a socket: the alarm sends it, from the address that was asked.</summary>
    [Fact]
    public void The_handler_sends_it_by_its_alarm()
    {
        CoapServer server = NewServer();
        DatagramSession session = new(new CoapHandler(server), DatagramLimits.Default, new Ledger());
        DatagramPath path = new(CoapPeer.Near, PeerAddress.IPv4(0x7f000002, 0));
        byte[] question = [0x40, 0x02, 0x00, 0x09, 0xb4, .. "slow"u8, 0xff, .. "hi"u8];
        session.Received(question, question.Length, path, default, default);
        Assert.Equal("ACK 0.00", CoapPeer.Show(session.Outbox[0].Bytes.Span));
        Assert.Equal(default, session.Deadline);
        session.Outbox.Clear();
        session.Tick(default, default);
        Assert.Equal("CON 2.04 HI", CoapPeer.Show(session.Outbox[0].Bytes.Span));
        Assert.Equal(path, session.Outbox.PathOf(0));
        Assert.InRange(session.Deadline, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
    }

    private static string Due(CoapServer server, int seconds) => CoapPeer.Show(Sent(server, TimeSpan.FromSeconds(seconds)));

    private static byte[] Sent(CoapServer server, TimeSpan now)
    {
        server.Tick(now);
        return server.TryTakeDue(now, default, out _, out ReadOnlySpan<byte> datagram) ? datagram.ToArray() : [];
    }

    private static void Acknowledge(CoapServer server, byte[] answer, CoapType type)
    {
        byte[] bytes = new byte[4];
        _ = CoapMessage.TryRead(answer, out CoapMessage message);
        _ = new CoapWriter(bytes, type, default, message.MessageId, default);
        Assert.Equal(0, server.Received(bytes, CoapPeer.Near, default).Length);
    }

    private CoapServer NewServer()
    {
        CoapServer server = new(CoapServerLimits.Default with { MaxSeparateAnswers = 3 }, TestSocket.Of(1));
        server.Add("slow", new CoapResource((request, body) =>
        {
            _effects++;
            string text = Encoding.UTF8.GetString(request.Payload);
            text = text != "throw" ? text.ToUpper(CultureInfo.InvariantCulture) : throw new InvalidOperationException();
            Encoding.UTF8.GetBytes(text, body);
            return CoapCode.Changed;
        })
        { IsSlow = true });
        return server;
    }
}
