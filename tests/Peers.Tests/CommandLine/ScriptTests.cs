using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary><c>ask --script</c>: a dialogue that a file says.</summary>
public sealed class ScriptTests : IDisposable
{
    private const string Mail = """
        timeout 20s
        expect /^220[ -].*\r?\n/
        send "EHLO here\r\n"
        expect /^250 .*\n/
        send "MAIL FROM:<a@example.org>\r\n"
        on /^250 / goto to
        on /^[45]\d\d / fail "the sender is refused"
        label to
        send "RCPT TO:<b@example.org>\r\n"
        expect "250 "
        send "DATA\r\n"
        expect "354 "
        send "Subject: x\r\n\r\n\xe4 line\r\n.\r\n"
        expect "250 "
        send "QUIT\r\n"
        on end goto done
        label done
        """;

    /// <summary>An SMTP server of Python's own standard library's kind, line by line; it writes down what it was told.</summary>
    private const string MailServer = """
        import socket, sys
        listener = socket.create_server(('127.0.0.1', 0))
        print(listener.getsockname()[1], flush=True)
        peer, _ = listener.accept()
        file = peer.makefile('rwb', buffering=0)
        def say(line): file.write(line.encode() + b'\r\n')
        say('220-mail.example.org'); say('220 ready')
        data = False
        while True:
            line = file.readline()
            if not line: break
            sys.stdout.buffer.write(line); sys.stdout.flush()
            word = line[:4].upper()
            if data:
                if line == b'.\r\n': data = False; say('250 taken')
            elif word == b'EHLO': say('250-mail.example.org'); say('250-SIZE 1000'); say('250 HELP')
            elif word == b'DATA': data = True; say('354 go on')
            elif word == b'QUIT': say('221 bye'); break
            elif word == b'MAIL': say(sys.argv[1])
            else: say('250 well')
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-script-");

    private string Path => System.IO.Path.Combine(_folder.FullName, "script");

    [Fact]
    public void A_mail_is_handed_over()
    {
        using Program server = Program.Start("python3", "-c", MailServer, "250 well");
        string port = server.WaitForLine("");
        Ended ended = Run(Mail, $"tcp://127.0.0.1:{port}");
        Assert.Equal(("", 0), (ended.Error, ended.ExitCode));
        Assert.EndsWith("221 bye\n", ended.Output.Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
        string told = server.WaitForEnd().Output;
        Assert.Contains("RCPT TO:<b@example.org>", told, StringComparison.Ordinal);
        Assert.Contains(".\nQUIT\n", told.Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_branch_that_fails_is_the_scripts_error()
    {
        using Program server = Program.Start("python3", "-c", MailServer, "550 no");
        string port = server.WaitForLine("");
        Ended ended = Run(Mail, $"tcp://127.0.0.1:{port}");
        Assert.Equal((1, $"doorbell: {Path}:7: the sender is refused\n"), (ended.ExitCode, ended.Error));
    }

    /// <summary>A dialogue as telnet has it: the prompt has no end of line, and the answer to the password decides.</summary>
    [Theory]
    [InlineData("secret", 0, "")]
    [InlineData("wrong", 1, ":5: the password is wrong")]
    public void A_login_goes_where_its_answer_says(string password, int code, string says)
    {
        using Socket listener = Listener();
        string script = $"""
            expect "login: "
            send "me\n"
            expect "Password: "
            send "{password}\n"
            on "incorrect" fail "the password is wrong"
            on "$ " goto in
            label in
            send "exit\n"
            on end goto out
            label out
            """;
        using Program client = Start(script, $"tcp://{listener.LocalEndPoint}");
        using (Socket server = listener.Accept())
        {
            server.ReceiveTimeout = 30_000;
            server.Send("login: "u8);
            Assert.Equal("me\n", Receive(server, 3));
            server.Send("Pass"u8);
            server.Send("word: "u8);
            string given = Receive(server, password.Length + 1);
            server.Send(given == "secret\n" ? "\nwelcome\n$ "u8 : "\nlogin incorrect\n"u8);
            Assert.Equal(code == 0 ? "exit\n" : "", code == 0 ? Receive(server, 5) : "");
        }

        Ended ended = client.WaitForEnd();
        Assert.Equal((code, code == 0 ? "" : $"doorbell: {Path}{says}\n"), (ended.ExitCode, ended.Error));
        Assert.StartsWith("login: Password: \n", ended.Output, StringComparison.Ordinal);
    }

    /// <summary>Wherever the stream is cut, the same is found: what is over is not searched again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void How_the_stream_is_cut_does_not_matter(int size)
    {
        using Socket listener = Listener();
        const string Script = """
            expect "one"
            expect /tw./
            expect "ünf"
            expect /^s(.)chs\r?$/
            expect "one"
            """;
        using Program client = Start(Script, $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        server.NoDelay = true;
        byte[] all = Encoding.UTF8.GetBytes("one two fünf\nsechs\r\nseven\none\n");
        for (int at = 0; at < all.Length; at += size)
        {
            server.Send(all.AsSpan(at, Math.Min(size, all.Length - at)));
        }

        Assert.Equal((0, ""), (client.WaitForEnd().ExitCode, client.Error));
    }

    [Fact]
    public void What_is_expected_may_come_behind_any_number_of_bytes()
    {
        using Socket listener = Listener();
        using Program client = Start("expect \"the end\"", $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        server.Send(new byte[300_000]);
        server.Send("the end"u8);
        Assert.Equal(0, client.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData(
        "timeout 200ms\nexpect \"more\"",
        ":2: tcp://PEER: \"more\" has not come within 0.2 s; what has come since ends with \"hello\"")]
    [InlineData("timeout 200ms\non \"a\" goto x\non /b/ goto x\nlabel x", ":2: tcp://PEER: \"a\" or /b/ has not come within 0.2 s")]
    [InlineData("timeout 200ms\non \"a\" goto x\non timeout fail \"late\"\nlabel x", ":3: late")]
    [InlineData("label x\ngoto x", ":2: 1000000 statements have been carried out")]
    public void What_does_not_come_is_told_with_its_line(string script, string says)
    {
        using Socket listener = Listener();
        using Program client = Start(script, $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        server.Send("hello"u8);
        Ended ended = client.WaitForEnd();
        string expected = says.Replace("PEER", $"{listener.LocalEndPoint}", StringComparison.Ordinal);
        Assert.Equal(1, ended.ExitCode);
        Assert.StartsWith($"doorbell: {Path}{expected}", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "expect \"more\"", 1, ":1: tcp://PEER: the server has ended before \"more\" came; what has come since ends with \"hello\"")]
    [InlineData("on \"more\" goto x\non end goto x\nlabel x", 0, "")]
    [InlineData("half-close\nexpect \"hello\"\nclose", 0, "")]
    [InlineData("", 0, "")]
    public void The_servers_end_is_an_event(string script, int code, string says)
    {
        using Socket listener = Listener();
        using Program client = Start(script, $"tcp://{listener.LocalEndPoint}");
        using (Socket server = listener.Accept())
        {
            server.Send("hello"u8);
            server.Shutdown(SocketShutdown.Send);
            Ended ended = client.WaitForEnd();
            string expected = says.Replace("PEER", $"{listener.LocalEndPoint}", StringComparison.Ordinal);
            Assert.Equal((code, code == 0 ? "" : $"doorbell: {Path}{expected}\n"), (ended.ExitCode, ended.Error));
        }
    }

    [Theory]
    [InlineData("say \"x\"", ":1: \"say\" is no statement: give one of send, expect, on")]
    [InlineData("# x\n\nsend", ":3: a text in quotes is missing")]
    [InlineData("send x", ":1: a text in quotes is missing, and here stands x")]
    [InlineData("send \"x", ":1: the text has no quote at its end")]
    [InlineData("send \"\"", ":1: the text is empty")]
    [InlineData("send \"\\q\"", ":1: behind a backslash stands n, r, t, e, x")]
    [InlineData("send \"\\x1\"", ":1: behind a backslash stands n, r, t, e, x")]
    [InlineData("send \"x\" y", ":1: y is too much")]
    [InlineData("expect", ":1: a pattern is missing")]
    [InlineData("expect /x", ":1: the expression has no slash at its end")]
    [InlineData("expect /(/", ":1: /(/ is no regular expression that can be searched")]
    [InlineData("expect /(a)\\1/", ":1: /(a)\\\\1/ is no regular expression that can be searched")]
    [InlineData("expect /x*/", ":1: /x*/ is found in nothing")]
    [InlineData("on \"x\"", ":1: goto or fail is missing")]
    [InlineData("on \"x\" stop", ":1: here stands goto LABEL or fail \"TEXT\", not stop")]
    [InlineData("on never goto x", ":1: behind on stands \"TEXT\", /EXPRESSION/, timeout or end, not never")]
    [InlineData("send \"x\"\ngoto nowhere", ":2: there is no label nowhere")]
    [InlineData("on \"x\" goto nowhere", ":1: there is no label nowhere")]
    [InlineData("label x\nlabel x", ":2: the label x stands in the file already")]
    [InlineData("timeout", ":1: a time is missing, as in 5, 0.5, 200ms or 2m")]
    [InlineData("timeout soon", ":1: soon is no time: give one above 0, at most 7d, as in 5, 0.5, 200ms or 2m")]
    [InlineData("timeout 0", ":1: 0 is no time: give one above 0")]
    [InlineData("timeout 99999999999999d", ":1: 99999999999999d is no time: give one above 0, at most 7d")]
    [InlineData("\ufefftimeout 0", ":1: 0 is no time")]
    public void A_wrong_line_is_told_before_anybody_is_connected(string script, string says)
    {
        Ended ended = Run(script, "tcp://127.0.0.1:1");
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"doorbell: {Path}{says}", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--script /no/such/file tcp://127.0.0.1:1", "read /no/such/file: ENOENT (No such file or directory)")]
    [InlineData("--script /dev/zero tcp://127.0.0.1:1", "read /dev/zero: it has more than 1048576 bytes")]
    [InlineData("--script /dev/null tcp://127.0.0.1:1 hello", "--script and a TEXT exclude each other")]
    [InlineData("--script /dev/null --json tcp://127.0.0.1:1", "--script and --json exclude each other")]
    [InlineData("--script /dev/null --greeting tcp://127.0.0.1:1", "--script and --greeting exclude each other")]
    [InlineData("--script /dev/null udp://127.0.0.1:1", "--script is for tcp:// and unix:// endpoints")]
    [InlineData("--hex coap://127.0.0.1/x", "--hex is for endpoints of lines or plain datagrams")]
    public void What_does_not_go_with_a_script_is_wrong_usage(string words, string says)
    {
        Ended ended = Doorbells.Run("native", "", ["ask", .. words.Split(' ')]);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private Ended Run(string script, string endpoint)
    {
        using Program client = Start(script, endpoint);
        return client.WaitForEnd();
    }

    private Program Start(string script, string endpoint)
    {
        File.WriteAllText(Path, script);
        return Doorbells.Start("native", "ask", "--script", Path, endpoint);
    }

    private static string Receive(Socket socket, int count)
    {
        byte[] buffer = new byte[count];
        for (int at = 0; at < count;)
        {
            int received = socket.Receive(buffer, at, count - at, SocketFlags.None);
            Assert.NotEqual(0, received);
            at += received;
        }

        return Encoding.UTF8.GetString(buffer);
    }

    private static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }
}
