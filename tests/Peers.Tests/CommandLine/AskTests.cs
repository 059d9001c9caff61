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
            Assert.Contains("served 1 connection, 3 requests", server.WaitForEnd().Output, StringComparison.Ordinal);
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

    [Theory]
    [MemberData(nameof(Both))]
    public void What_is_sent_is_what_was_given_and_crlf_adds_what_is_missing(string kind)
    {
        Assert.Equal("one\r\n", Received(kind, "one\r\n"));
        Assert.Equal("one\n", Received(kind, "one\n"));
        Assert.Equal("one\r\n", Received(kind, "one\n", "--crlf"));
        Assert.Equal("one\r\n", Received(kind, "one\r\n", "-C"));
        Assert.Equal("\r\n", Received(kind, "\n", "-C"));
        Assert.Equal("a \r b\n", Received(kind, "a \r b"));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Raw_writes_what_came_and_text_and_json_leave_the_ends_of_lines_out(string kind)
    {
        Assert.Equal((0, "FROM SERVER: 250 OK\n"), Answered(kind, "250 OK\r\n"));
        Assert.Equal((0, "250 OK\r\n"), Answered(kind, "250 OK\r\n", "--raw"));
        Assert.Equal((0, "250 OK\n"), Answered(kind, "250 OK\n", "--raw"));
        Assert.Equal((0, "\r\n"), Answered(kind, "\r\n", "--raw"));
        Assert.Contains("\"reply\":\"250 OK\"", Answered(kind, "250 OK\r\n", "--json").Output, StringComparison.Ordinal);
        static (int ExitCode, string Output) Answered(string kind, string answer, params string[] options)
        {
            using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            string file = Doorbells.File(kind);
            string words = $"'{file}' ask tcp://{listener.LocalEndPoint} {string.Join(' ', options)} question | od -An -v -tu1";
            using Program asking = Program.Start("bash", "-c", "set -o pipefail; " + words);
            using Socket connection = listener.Accept();
            byte[] question = new byte[100];
            Assert.Equal("question\n"u8.Length, connection.Receive(question));
            connection.Send(System.Text.Encoding.UTF8.GetBytes(answer));
            Ended ended = asking.WaitForEnd();
            byte[] bytes = [.. ended.Output.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(byte.Parse)];
            return (ended.ExitCode, System.Text.Encoding.UTF8.GetString(bytes));
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Bytes_that_are_no_UTF_8_pass_as_they_were_given(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "echo", "tcp://127.0.0.1:0");
        using (server)
        {
            string ask = $"'{Doorbells.File(kind)}' ask --raw {endpoint}";
            const string Bytes = " 61 ff c3 20 c3 a9 0a\n";
            Assert.Equal(Bytes, Program.Run("bash", ["-c", $"{ask} $'a\\xff\\xc3' $'\\xc3\\xa9' | od -An -tx1"]).Output);
            Assert.Equal(Bytes, Program.Run("bash", ["-c", $"printf 'a\\xff\\xc3 \\xc3\\xa9\\n' | {ask} | od -An -tx1"]).Output);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_datagrams_question_gets_a_whole_end_of_line_and_a_raw_answer_keeps_its_bytes(string kind)
    {
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Program asking = Doorbells.Start(kind, "ask", "--raw", "-C", "--timeout", "20", $"udp://{server.LocalEndPoint}", "hello");
        byte[] question = new byte[100];
        EndPoint client = new IPEndPoint(IPAddress.Any, 0);
        int count = server.ReceiveFrom(question, ref client);
        Assert.Equal("hello\r\n"u8.ToArray(), question[..count]);
        server.SendTo("x\0\0"u8, client);
        Ended ended = asking.WaitForEnd();
        Assert.Equal((0, "x\0\0\n"), (ended.ExitCode, ended.Output));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_server_that_speaks_first_is_told_of_or_taken_as_it_is(string kind)
    {
        (string output, string error) = Greeted(kind);
        Assert.Equal("", output);
        Assert.Contains("use --greeting if the server speaks first", error, StringComparison.Ordinal);
        (output, error) = Greeted(kind, "--greeting", "-C");
        Assert.Equal("FROM SERVER: 250 one\nFROM SERVER: 250 two\n", output);
        Assert.Equal("doorbell: the server's greeting: 220 ready\n", error);
        Ended datagrams = Doorbells.Run(kind, "", "ask", "udp://127.0.0.1:1", "--greeting", "x");
        Assert.Equal((2, "doorbell: --greeting is for tcp:// and unix:// endpoints\n"), (datagrams.ExitCode, datagrams.Error));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_time_out_of_nothing_is_wrong_usage(string kind)
    {
        foreach (string verb in new[] { "ask", "connect" })
        {
            Ended ended = Doorbells.Run(kind, "", verb, "tcp://127.0.0.1:1", "--timeout", "0");
            Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
            Assert.Contains("--timeout takes a time longer than 0", ended.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>The first line that a server gets of standard input.</summary>
    private static string Received(string kind, string input, params string[] options)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program asking = Doorbells.Start(kind, ["ask", $"tcp://{listener.LocalEndPoint}", .. options]);
        asking.Input.Write(System.Text.Encoding.UTF8.GetBytes(input));
        asking.Input.Close();
        using Socket connection = listener.Accept();
        byte[] question = new byte[100];
        int count = connection.Receive(question);
        connection.Send("answer\n"u8);
        Assert.Equal(new Ended(0, "FROM SERVER: answer\n", ""), asking.WaitForEnd());
        return System.Text.Encoding.UTF8.GetString(question, 0, count);
    }

    /// <summary>Asks a server that greets, one and two.</summary>
    private static (string Output, string Error) Greeted(string kind, params string[] options)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program asking = Doorbells.Start(kind, ["ask", $"tcp://{listener.LocalEndPoint}", .. options]);
        using Socket connection = listener.Accept();
        connection.Send("220 ready\r\n"u8);
        if (options.Length > 0)
        {
            asking.WaitForError("greeting");
        }
        else
        {
            // What has been acknowledged has come: then it was there before the question.
            SpinWait.SpinUntil(() => !IsSending(connection));
        }

        asking.Input.Write("one\ntwo\n"u8);
        asking.Input.Close();
        byte[] question = new byte[5];
        for (int i = 0; i < 2 && ReceivedOrEnded(connection, question) == 5; i++)
        {
            connection.Send(System.Text.Encoding.UTF8.GetBytes($"250 {System.Text.Encoding.UTF8.GetString(question)}"));
        }

        Ended ended = asking.WaitForEnd();
        return (ended.Output, ended.Error);
    }

    /// <summary>A client that gives a connection up has not read the greeting, so its kernel may reset.</summary>
    private static int ReceivedOrEnded(Socket connection, byte[] question)
    {
        int received = connection.Receive(question, SocketFlags.None, out SocketError error);
        return error == SocketError.Success ? received : 0;
    }

    /// <summary>Whether the peer's kernel has not acknowledged all (TIOCOUTQ, tcp(7)).</summary>
    private static bool IsSending(Socket connection)
    {
        const int TcpInfo = 11;
        const int UnackedOffset = 24;
        byte[] info = new byte[104];
        connection.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
        return BitConverter.ToInt32(info, UnackedOffset) != 0;
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
