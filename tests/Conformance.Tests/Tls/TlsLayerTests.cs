using System.Security.Authentication;
using System.Text;
using Doorbell.Testing;
using Doorbell.Tls;

namespace Doorbell.Tests;

/// <summary>TLS as a layer, without a network: both sides of it, and what they do with bytes that come in any piece.</summary>
public sealed class TlsLayerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public void Both_sides_open_and_carry_bytes_however_they_are_cut(int most)
    {
        AskingHandler client = new("hello\n");
        TlsPair pair = new(new UpperHandler(), client);
        pair.Carry(most);
        Assert.Null(pair.Server.LayerFailure);
        Assert.Null(pair.Client.LayerFailure);
        Assert.Equal("HELLO\n", client.Text);
        TlsInfo info = pair.Server.Connection.Get<TlsInfo>()!;
        Assert.Equal(SslProtocols.Tls13, info.Version);
        Assert.Equal("localhost", info.ServerName);
        Assert.Null(info.PeerSubject);
        Assert.Equal(TlsPair.Certificate.Fingerprint, pair.Client.Connection.Get<TlsInfo>()!.PeerFingerprint);
        Assert.Equal(0, pair.Server.RentedBytes);
        Assert.Equal(0, pair.Client.RentedBytes);
        Assert.Equal(0, pair.ServerTls.HandshakesUnderWay);
    }

    [Fact]
    public void An_end_is_told_by_close_notify_and_a_half_closed_side_still_receives()
    {
        AskingHandler client = new("hello\n") { Finishes = true };
        TlsPair pair = new(new AtEndHandler(), client);
        pair.CarryEnds();
        Assert.Equal("hello\nend", client.Text);
        Assert.True(client.IsEnded);
        Assert.Equal(CloseReason.Completed, pair.Server.Ended);
        Assert.Equal(CloseReason.Completed, pair.Client.Ended);
    }

    [Fact]
    public void An_end_without_close_notify_is_a_truncation()
    {
        AskingHandler client = new("hello\n");
        TlsPair pair = new(new UpperHandler(), client);
        pair.Carry();
        pair.Server.PeerEnds();
        pair.Server.Run();
        pair.Client.PeerEnds();
        pair.Client.Run();
        Assert.Equal(CloseReason.Truncated, pair.Server.Ended);
        Assert.Equal(CloseReason.Truncated, pair.Client.Ended);
        Assert.False(client.IsEnded);
    }

    [Fact]
    public void A_large_answer_comes_whole()
    {
        byte[] much = new byte[3_000_000];
        new Random(1).NextBytes(much);
        AskingHandler client = new("much\n");
        TlsPair pair = new(new GivingHandler(much), client);
        pair.Carry(70_001);
        Assert.Equal(much, client.Came.ToArray());
    }

    [Fact]
    public void Another_certificate_than_the_pinned_one_is_refused_and_the_server_hears_of_it()
    {
        TlsCertificate other = TlsCertificate.SelfSigned("localhost");
        TlsPair pair = new(new UpperHandler(), new AskingHandler("x\n"), options: new TlsClientOptions { Pins = [other.Fingerprint] });
        pair.CarryEnds();
        Assert.Equal(CloseReason.LayerFailed, pair.Client.Ended);
        Assert.Contains("is not the one that is pinned", pair.Client.LayerFailure, StringComparison.Ordinal);
        Assert.Equal(CloseReason.Completed, pair.Server.Ended);
        Assert.Equal(0, pair.Server.Ledger.Read().Closed(CloseReason.Truncated));
    }

    [Fact]
    public void An_unknown_authority_and_a_wrong_name_are_refused()
    {
        TlsPair unknown = new(new UpperHandler(), new AskingHandler("x\n"), options: TlsClientOptions.Default);
        unknown.Carry();
        Assert.Contains("its authority is unknown", unknown.Client.LayerFailure, StringComparison.Ordinal);
        TlsClientOptions trusting = new() { Authorities = [TlsPair.Certificate.Public], ServerName = "elsewhere.test" };
        TlsPair wrong = new(new UpperHandler(), new AskingHandler("x\n"), options: trusting);
        wrong.Carry();
        Assert.Contains("it is not for elsewhere.test", wrong.Client.LayerFailure, StringComparison.Ordinal);
        AskingHandler client = new("x\n");
        TlsPair right = new(new UpperHandler(), client, options: trusting with { ServerName = "some.test.example" });
        right.Carry();
        Assert.Equal("X\n", client.Text);
    }

    [Fact]
    public void The_certificate_is_the_one_of_the_name_that_is_asked_for_and_can_be_changed()
    {
        TlsCertificate one = TlsCertificate.SelfSigned("one.example");
        TlsCertificate two = TlsCertificate.SelfSigned("two.example");
        TlsServer server = new(new TlsServerOptions { Certificates = [one, two] });
        Assert.Equal(one.Fingerprint, Shown("one.example"));
        Assert.Equal(two.Fingerprint, Shown("two.example"));
        Assert.Equal(one.Fingerprint, Shown("three.example"));
        server.Options = server.Options with { Certificates = [two] };
        Assert.Equal(two.Fingerprint, Shown("one.example"));

        string Shown(string name)
        {
            TlsClientOptions options = new() { ServerName = name, AcceptsAnyCertificate = true };
            TlsPair pair = new(new UpperHandler(), new AskingHandler("x\n"), server, options);
            pair.Carry();
            return pair.Client.Connection.Get<TlsInfo>()!.PeerFingerprint!;
        }
    }

    [Fact]
    public void A_client_may_have_to_show_a_certificate_and_the_handler_learns_whose_it_is()
    {
        TlsCertificate known = TlsCertificate.SelfSigned("somebody");
        TlsServerOptions options = new() { Certificates = [TlsPair.Certificate], ClientAuthorities = [known.Public] };
        TlsServer required = new(options);
        TlsServer optional = new(options with { RequiresClientCertificate = false });
        TlsPair pair = Pair(required, known);
        Assert.Equal("CN=somebody", pair.Server.Connection.Get<TlsInfo>()?.PeerSubject);
        Assert.Equal(known.Fingerprint, pair.Server.Connection.Get<TlsInfo>()?.PeerFingerprint);
        Assert.Contains("no certificate", Pair(required, null).Server.LayerFailure, StringComparison.Ordinal);
        TlsPair stranger = Pair(required, TlsCertificate.SelfSigned("somebody"));
        Assert.Contains("its authority is unknown", stranger.Server.LayerFailure, StringComparison.Ordinal);
        Assert.Equal(CloseReason.LayerFailed, stranger.Server.Ended);
        Assert.Equal(CloseReason.Truncated, stranger.Client.Ended);
        Assert.Null(Pair(optional, null).Server.LayerFailure);
        Assert.Contains(
            "its authority is unknown", Pair(optional, TlsCertificate.SelfSigned("x")).Server.LayerFailure, StringComparison.Ordinal);

        static TlsPair Pair(TlsServer server, TlsCertificate? shown)
        {
            TlsClientOptions options = new() { Pins = [TlsPair.Certificate.Fingerprint], Certificate = shown };
            AskingHandler client = new("x\n");
            TlsPair pair = new(new UpperHandler(), client, server, options);
            pair.CarryEnds();
            Assert.Equal(pair.Server.LayerFailure is null ? "X\n" : "", client.Text);
            return pair;
        }
    }

    [Fact]
    public void Alpn_chooses_what_both_speak()
    {
        TlsServer server = new(new TlsServerOptions { Certificates = [TlsPair.Certificate], ApplicationProtocols = ["h2", "echo/1"] });
        TlsClientOptions options = new() { AcceptsAnyCertificate = true, ApplicationProtocols = ["echo/1"] };
        TlsPair pair = new(new UpperHandler(), new AskingHandler("x\n"), server, options);
        pair.Carry();
        Assert.Equal("echo/1", pair.Server.Connection.Get<TlsInfo>()!.ApplicationProtocol);
        Assert.Equal("echo/1", pair.Client.Connection.Get<TlsInfo>()!.ApplicationProtocol);
        TlsPair none = new(new UpperHandler(), new AskingHandler("x\n"), server, options with { ApplicationProtocols = ["other"] });
        none.Carry();
        Assert.Contains("alert", none.Client.LayerFailure, StringComparison.Ordinal);
        Assert.NotNull(none.Server.LayerFailure);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1")]
    [InlineData("hello\n", "hello")]
    [InlineData("\u0016x", "\\x16x")]
    public void Plain_text_is_told_by_its_first_bytes(string plain, string shown)
    {
        TlsServer server = new(new TlsServerOptions { Certificates = [TlsPair.Certificate] });
        InMemoryConnection connection = new(new UpperHandler(), 1, layers: [server.NewLayer]) { CutAtRandom = false };
        connection.PeerSends(Encoding.Latin1.GetBytes(plain));
        connection.Run();
        Assert.Contains($"does not speak TLS: it begins with \"{shown}", connection.LayerFailure, StringComparison.Ordinal);
        string answer = Encoding.ASCII.GetString(connection.PeerReceived);
        Assert.Equal(plain.StartsWith("GET", StringComparison.Ordinal), answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal));
        Assert.Equal(0, server.HandshakesUnderWay);
    }

    [Fact]
    public void So_many_handshakes_may_be_under_way()
    {
        TlsServer server = new(new TlsServerOptions { Certificates = [TlsPair.Certificate], MaxHandshakes = 2 });
        InMemoryConnection first = Open();
        InMemoryConnection second = Open();
        Assert.Equal(2, server.HandshakesUnderWay);
        InMemoryConnection third = Open();
        Assert.Equal("2 TLS handshakes are under way (MaxHandshakes)", third.LayerFailure);
        first.PeerResets();
        first.Run();
        Assert.Equal(1, server.HandshakesUnderWay);
        second.PeerResets();
        second.Run();
        Assert.Equal(0, server.HandshakesUnderWay);

        InMemoryConnection Open()
        {
            InMemoryConnection connection = new(new UpperHandler(), 1, layers: [server.NewLayer]);
            connection.Run();
            return connection;
        }
    }

    /// <summary>Answers in capitals, at once.</summary>
    private sealed class UpperHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(input).ToUpperInvariant()));
            return Step.More(input.Length);
        }
    }

    /// <summary>Answers with what came and "end", behind the end.</summary>
    private sealed class AtEndHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(0);

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
        {
            turn.Output.Write([.. rest, .. "end"u8]);
            return Next.Finish;
        }
    }

    /// <summary>Answers with much, as the peer takes it.</summary>
    private sealed class GivingHandler(byte[] much) : StreamHandler
    {
        private int _given;

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Give(turn);
            return Step.More(input.Length);
        }

        public override Next OnFlushed(Turn turn)
        {
            Give(turn);
            return Next.Stay;
        }

        private void Give(Turn turn)
        {
            int count = Math.Min(much.Length - _given, 60_000);
            turn.Output.Write(much.AsSpan(_given, count));
            _given += count;
        }
    }

    /// <summary>Asks as soon as it is open, and keeps what comes.</summary>
    private sealed class AskingHandler(string question) : StreamHandler
    {
        public MemoryStream Came { get; } = new();

        public string Text => Encoding.ASCII.GetString(Came.ToArray());

        public bool Finishes { get; init; }

        public bool IsEnded { get; private set; }

        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(Encoding.ASCII.GetBytes(question));
            return Finishes ? Next.Finish : Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Came.Write(input);
            return Step.More(input.Length);
        }

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
        {
            IsEnded = true;
            return Next.Finish;
        }
    }
}
