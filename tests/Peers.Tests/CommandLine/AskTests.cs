using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell ask</c> as a user runs it.</summary>
public sealed class AskTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Each_line_of_standard_input_is_asked_over_one_connection(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            Ended asked = Doorbells.Run(kind, "one\r\n\nthree", "ask", endpoint.ToString());
            Assert.Equal(new Ended(0, "FROM SERVER: ONE\nFROM SERVER: \nFROM SERVER: THREE\n", ""), asked);
            server.Signal("TERM");
            Assert.Contains("served 1 connections, 3 requests", server.WaitForEnd().Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_text_may_begin_with_an_at_sign_but_not_hold_a_nul(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            Assert.Equal("FROM SERVER: @HOME HI\n", Doorbells.Run(kind, "", "ask", endpoint.ToString(), "@home", "hi").Output);
            Ended nul = Doorbells.Run(kind, "a\0b\nc\n", "ask", endpoint.ToString());
            Assert.Equal((2, ""), (nul.ExitCode, nul.Output));
            Assert.Contains("can't hold an LF or a NUL", nul.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>As nc(1) takes them; behind <c>--</c> a text may begin with a hyphen.</summary>
    [Theory]
    [MemberData(nameof(Both))]
    public void A_host_and_a_port_may_be_two_words(string kind)
    {
        Program server = Doorbells.Start(kind, "serve", "127.0.0.1", "0", "localhost", "0");
        using (server)
        {
            string line = server.WaitForLine("serving ");
            string port = line[(line.LastIndexOf(':') + 1)..];
            Assert.Equal("FROM SERVER: HI\n", Doorbells.Run(kind, "", "ask", "127.0.0.1", port, "hi").Output);
            Assert.Equal("FROM SERVER: -4 --NOSUCH\n", Doorbells.Run(kind, "", "ask", "127.0.0.1", port, "--", "-4", "--nosuch").Output);
            Assert.Equal("HI\n", Doorbells.Run(kind, "hi\n", "connect", "127.0.0.1", port).Output);
            Assert.Equal(1, Doorbells.Run(kind, "hi\n", "connect", "::1", port).ExitCode);
            Ended extra = Doorbells.Run(kind, "", "connect", $"127.0.0.1:{port}", port);
            Assert.Equal((2, ""), (extra.ExitCode, extra.Output));
            Assert.Contains($"\"{port}\" is one word too many", extra.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_line_of_many_megabytes_is_answered_while_it_is_still_being_sent(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            string line = new('x', 30_000_000);
            Ended asked = Doorbells.Run(kind, line, "ask", endpoint.ToString(), "--raw", "--timeout", "20");
            Assert.Equal((0, "", line.Length + 1), (asked.ExitCode, asked.Error, asked.Output.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_reply_is_printed_for_people_for_scripts_or_as_json(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "tcp://127.0.0.1:0");
        using (server)
        {
            string where = endpoint.ToString();
            Assert.Equal("FROM SERVER: SEVERAL WORDS \\x1b[31M\n", Doorbells.Run(kind, "", "ask", where, "several", "words",
                "\u001b[31m").Output);
            Assert.Equal("RAW \u001b[31M\n", Doorbells.Run(kind, "", "ask", where, "--raw", "raw \u001b[31m").Output);
            JsonElement json = JsonDocument.Parse(Doorbells.Run(kind, "", "ask", where, "--json", "straße").Output).RootElement;
            Assert.Equal("STRASSE", json.GetProperty("reply").GetString());
            Assert.Equal(where, "tcp://" + json.GetProperty("from").GetString());
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_reply_in_pieces_with_a_nul_tail_or_ended_by_close_is_accepted(string kind)
    {
        Assert.Equal("FROM SERVER: IN PIECES\n", AskAgainst(kind, ["IN ", "PIE", "CES\n"], close: false).Output);
        Assert.Equal("FROM SERVER: TAIL\n", AskAgainst(kind, ["TAIL\n\0\0\0\0"], close: true).Output);
        Assert.Equal("FROM SERVER: NUL\n", AskAgainst(kind, ["NUL\0"], close: false).Output);
        Assert.Equal("FROM SERVER: CLOSED\n", AskAgainst(kind, ["CLOSED"], close: true).Output);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_reply_that_does_not_come_or_end_is_an_error_that_loses_nothing(string kind)
    {
        Ended silent = AskAgainst(kind, [], close: false, "--timeout", "300ms");
        Assert.Equal((1, ""), (silent.ExitCode, silent.Output));
        Assert.Contains("no reply within 0.3 s", silent.Error, StringComparison.Ordinal);
        Ended endless = AskAgainst(kind, ["HALF A RE"], close: false, "--timeout", "300ms");
        Assert.Equal((1, "FROM SERVER: HALF A RE\n"), (endless.ExitCode, endless.Output));
        Assert.Contains("no end after 9 bytes", endless.Error, StringComparison.Ordinal);
        Ended closed = AskAgainst(kind, [], close: true);
        Assert.Equal((1, ""), (closed.ExitCode, closed.Output));
        Assert.Contains("closed the connection without a reply", closed.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Nobody_there_is_told_at_once_with_every_address_tried(string kind)
    {
        Ended tcp = Doorbells.Run(kind, "", "ask", "tcp://localhost:1", "hello");
        Assert.Equal(1, tcp.ExitCode);
        Assert.Contains("[::1]:1: ECONNREFUSED (Connection refused), 127.0.0.1:1: ECONNREFUSED", tcp.Error, StringComparison.Ordinal);
        Ended udp = Doorbells.Run(kind, "", "ask", "udp://127.0.0.1:1", "hello");
        Assert.Equal(1, udp.ExitCode);
        Assert.Contains("ECONNREFUSED (Connection refused); nothing listens on that port", udp.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_datagram_that_is_lost_is_sent_again_and_the_tries_are_told(string kind)
    {
        using Socket lossy = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        lossy.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Program asking = Doorbells.Start(kind, "ask", $"udp://{lossy.LocalEndPoint}", "hello");
        byte[] question = new byte[100];
        EndPoint first = new IPEndPoint(IPAddress.Any, 0);
        lossy.ReceiveFrom(question, ref first);
        EndPoint second = new IPEndPoint(IPAddress.Any, 0);
        int count = lossy.ReceiveFrom(question, ref second);
        Assert.Equal(first, second);
        lossy.SendTo(question.AsSpan(0, count), SocketFlags.None, second);
        Assert.Equal(new Ended(0, "FROM SERVER: hello\n", "doorbell: answered on try 2 of at most 4\n"), asking.WaitForEnd());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Silence_ends_after_the_tries_allowed(string kind)
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Ended asked = Doorbells.Run(kind, "", "ask", $"udp://{silent.LocalEndPoint}", "hello", "--timeout", "1.5", "--tries", "2");
        Assert.Equal(1, asked.ExitCode);
        Assert.Contains("no answer within 1.5 s to 2 tries", asked.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Wrong_usage_is_told(string kind)
    {
        foreach (string[] wrong in new[] { new[] { "--tries", "0" }, ["--raw", "--json"], ["tcp://localhost:99999", "x"], ["--timeout",
            "-1"] })
        {
            Ended asked = Doorbells.Run(kind, "", ["ask", .. wrong]);
            Assert.Equal(2, asked.ExitCode);
            Assert.Equal(1, asked.Error.Count(static c => c == '\n'));
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void An_interrupted_client_ends_as_shells_expect(string kind)
    {
        using Socket silent = new(SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        foreach ((string signal, int code) in new[] { ("INT", 130), ("TERM", 143) })
        {
            using Program asking = Doorbells.Start(kind, "ask", $"tcp://127.0.0.1:{((IPEndPoint)silent.LocalEndPoint!).Port}", "hello",
                "--timeout", "60");
            using Socket connection = silent.Accept();
            byte[] line = new byte[6];
            Assert.Equal(6, connection.Receive(line));
            asking.Signal(signal);
            Assert.Equal(code, asking.WaitForEnd().ExitCode);
        }
    }

    private static Ended AskAgainst(string kind, string[] pieces, bool close, params string[] options)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program asking = Doorbells.Start(kind, ["ask", $"tcp://{listener.LocalEndPoint}", "question", .. options]);
        using Socket connection = listener.Accept();
        connection.NoDelay = true;
        byte[] question = new byte[100];
        Assert.Equal("question\n"u8.Length, connection.Receive(question));
        foreach (string piece in pieces)
        {
            connection.Send(System.Text.Encoding.UTF8.GetBytes(piece));
        }

        if (close)
        {
            connection.Shutdown(SocketShutdown.Both);
        }

        return asking.WaitForEnd();
    }
}
