namespace Doorbell.Tests;

/// <summary><c>doorbell ask coap://</c> as a user runs it, of libcoap's server (Debian's libcoap3-bin) and of our own.</summary>
public sealed class AskCoapTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Libcoaps_server_answers_confirmable_and_not_at_once_and_later(string kind) => WithLibcoap((_, server) =>
    {
        Assert.Contains("libcoap", Answer(kind, "--method", "GET", server), StringComparison.Ordinal);
        Assert.Contains("libcoap", Answer(kind, "--method", "GET", "--non-confirmable", server), StringComparison.Ordinal);
        Assert.Equal("FROM SERVER: done\n", Answer(kind, "--method", "GET", $"{server}/async?1"));
        Assert.Contains("</time>", Answer(kind, "--method", "GET", $"{server}/.well-known/core"), StringComparison.Ordinal);
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void A_body_of_100_KB_goes_to_libcoaps_server_and_comes_back(string kind) => WithLibcoap((_, server) =>
    {
        string body = string.Concat(Enumerable.Range(0, 15_000).Select(static i => $"{i:D6} "));
        Assert.Equal("FROM SERVER: \n", Doorbells.Run(kind, body, "ask", "--method", "PUT", "--timeout", "20", $"{server}/big").Output);
        Assert.Equal(body + "\n", Answer(kind, "--raw", "--method", "GET", "--timeout", "20", $"{server}/big"));
    });

    [Theory]
    [InlineData("--method", "PUT")]
    [InlineData("--method", "PUT", "--non-confirmable")]
    public void Each_line_is_a_request(params string[] options) => WithLibcoap((_, server) =>
    {
        Ended asked = Doorbells.Run("native", "one\ntwo\n", ["ask", .. options, $"{server}/lines"]);
        Assert.Equal(new Ended(0, "FROM SERVER: \nFROM SERVER: \n", ""), asked);
        Assert.Equal("FROM SERVER: two\n", Answer("native", "--method", "GET", $"{server}/lines"));
    });

    [Fact]
    public void What_is_lost_is_sent_again_in_blocks_too() => WithLibcoap((port, _) =>
    {
        using Program proxy = Doorbells.Start(
            "native", "impair", "udp://127.0.0.1:0", $"udp://127.0.0.1:{port}", "--loss", "20%", "--seed", "3");
        string line = proxy.WaitForLine("udp://");
        string through = "coap" + line.Split(' ').First(static word => word.StartsWith("udp://", StringComparison.Ordinal))[3..];
        string body = new('b', 20_000);
        Ended put = Doorbells.Run("native", body, "ask", "--json", "--method", "PUT", "--timeout", "29", $"{through}/lossy");
        Assert.Equal((0, ""), (put.ExitCode, put.Error));
        Assert.Equal(body + "\n", Answer("native", "--raw", "--method", "GET", "--timeout", "29", $"{through}/lossy"));
    });

    [Fact]
    public void Tries_are_refused_since_they_would_have_no_effect()
    {
        Ended asked = Doorbells.Run("native", "", "ask", "--tries", "3", "coap://localhost/capitalize", "hello");
        Assert.Equal((2, ""), (asked.ExitCode, asked.Output));
        Assert.StartsWith("doorbell: --tries is for plain datagrams and streams", asked.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Our_own_server_answers_and_is_asked_as_coap_client_asks(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "capitalize", "coap://127.0.0.1:0");
        using (server)
        {
            string coap = $"coap://127.0.0.1:{endpoint.Port}";
            Assert.Equal("FROM SERVER: A SENTENCE\n", Answer(kind, $"{coap}/capitalize", "a", "sentence"));
            string body = new('b', 100_000);
            Assert.Equal(body.ToUpperInvariant() + "\n", Doorbells.Run(kind, body, "ask", "--raw", $"{coap}/capitalize").Output);
            Ended ours = Doorbells.Run(kind, "", "ask", "--method", "GET", $"{coap}/.well-known/core", "--raw");
            Ended libcoaps = Program.Run("coap-client-notls", ["-m", "get", $"{coap}/.well-known/core"]);
            Assert.Equal(libcoaps.Output.Trim(), ours.Output.Trim());
            Assert.Equal(
                "FROM SERVER: </capitalize>;ct=0\n", Answer(kind, "--method", "GET", $"{coap}/.well-known/core?href=/c*&ct=0"));
            Assert.Equal("FROM SERVER: \n", Answer(kind, "--method", "GET", $"{coap}/.well-known/core?rt=light"));
        }
    }

    /// <summary>RFC 7252 section 6.4: by libcoap's server, which knows resources by their options.</summary>
    [Theory]
    [MemberData(nameof(Both))]
    public void The_segments_of_a_URI_are_cut_before_they_are_decoded(string kind) => WithLibcoap((port, server) =>
    {
        Assert.Equal("FROM SERVER: \n", Answer(kind, "--method", "PUT", $"{server}/a/./x/../%2F//caf%C3%A9", "text"));
        Assert.Equal("FROM SERVER: text\n", Answer(kind, "--method", "GET", $"COAP://127.0.0.1:{port}/a/%2f//caf\u00e9"));
        AssertFails(1, "4.04", "ask", "--method", "GET", $"{server}/a//%2F/caf%C3%A9");
        AssertFails(1, $"coap://127.0.0.1:{port}/a/%2F?b%26c: the server answered 4.04", "ask", "--method", "GET", $"{server}/a/%2f?b%26c");
    });

    /// <summary>RFC 7252 section 5.4.1: our server says what it does not understand, and libcoap's client shows it.</summary>
    [Fact]
    public void A_refused_option_is_named()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "coap://127.0.0.1:0");
        using (server)
        {
            Ended asked = Program.Run(
                "coap-client-notls", ["-m", "post", "-e", "x", "-O", "2049,0x01", $"coap://127.0.0.1:{endpoint.Port}/echo"]);
            Assert.Contains("4.02 Option 2049 is not understood", asked.Output + asked.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/h")]
    [InlineData("/?")]
    public void A_text_with_a_slash_is_asked(string text)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "udp://127.0.0.1:0");
        using (server)
        {
            Assert.Equal($"FROM SERVER: {text}\n", Answer("native", $"{endpoint}", text));
        }
    }

    [Fact]
    public void Errors_are_one_line_that_says_what_to_do() => WithLibcoap((_, server) =>
    {
        AssertFails(1, "4.04 Not Found", "ask", "--method", "GET", $"{server}/none");
        AssertFails(1, "nothing listens", "ask", $"coap://127.0.0.1:{Ports.Free("udp")}/x", "text");
        AssertFails(2, "--method takes GET", "ask", "--method", "GEX", server);
        AssertFails(2, "have no body", "ask", "--method", "GET", server, "text");
        AssertFails(2, "no fragment", "ask", $"{server}/#there", "text");
        AssertFails(2, "speaks no CoAP: ask a resource with doorbell ask coap://h/x", "connect", "coap://h/x");
        AssertFails(2, "the host is missing", "ask", "coap:///there", "text");
        AssertFails(2, "coaps needs DTLS or TLS", "ask", "coaps://localhost/there", "text");
        AssertFails(2, "coaps needs DTLS or TLS", "ask", "coaps+tcp://localhost/there", "text");
        AssertFails(2, "coaps needs DTLS or TLS", "serve", "coaps+tcp://localhost");
        AssertFails(2, "over TCP nothing is sent again", "ask", "--non-confirmable", "coap+tcp://localhost/there", "text");
        AssertFails(2, "which load does not ask", "load", "coap+tcp://localhost/there");
        AssertFails(1, "nothing listens", "ask", $"coap+tcp://127.0.0.1:{Ports.Free("tcp")}/x", "text");
        AssertFails(2, "coaps needs DTLS or TLS", "serve", "coaps://localhost");
        AssertFails(2, "coaps needs DTLS or TLS", "probe", "coaps://localhost");
        AssertFails(2, "coaps needs DTLS or TLS", "connect", "coaps://localhost");
        AssertFails(2, "two hexadecimal digits", "ask", $"{server}/100%", "text");
        AssertFails(2, "no port", "ask", "coap://localhost:x/there", "text");
        AssertFails(2, "--method is for coap://", "ask", "--method", "GET", "tcp://localhost:1", "text");
        AssertFails(2, "--non-confirmable is for coap://", "ask", "--non-confirmable", "tcp://localhost:1", "text");
    });

    private static void AssertFails(int exitCode, string why, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal((exitCode, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(why, Assert.Single(ended.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static string Answer(string kind, params string[] arguments)
    {
        Ended ended = Doorbells.Run(kind, "", ["ask", .. arguments]);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        return ended.Output;
    }

    /// <summary>It takes new resources by PUT (-d).</summary>
    private static void WithLibcoap(Action<int, string> ask)
    {
        int port = Ports.Free("udp");
        using Program server = Program.Start("coap-server-notls", "-A", "127.0.0.1", "-p", $"{port}", "-d", "10");
        Ports.WaitUntilServed("udp", port);
        ask(port, $"coap://127.0.0.1:{port}");
    }
}
