using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Long replies, replies without an end, and readers that do not read: <c>ask</c> is bounded in memory and time.</summary>
public sealed class AskLongReplyTests
{
    private const int Megabyte = 1_000_000;

    public static TheoryData<string> Both => Doorbells.Both;

    /// <summary>A JSON record is printed when all of the reply is there: only then it is known whether it is text.</summary>
    [Theory]
    [InlineData("", 100)]
    [InlineData("--raw", 100)]
    [InlineData("--json", 400)]
    public void A_reply_of_60_megabytes_takes_no_memory_of_its_size(string option, int mostMegabytes)
    {
        using Socket listener = Listening();
        string command = $"'{Doorbells.File("native")}' ask --timeout 25 tcp://{listener.LocalEndPoint} question {option}";
        using Program asking = Program.Start("python3", "-c", $"""
            import resource, subprocess
            run = subprocess.run("{command} | wc -c", shell=True, capture_output=True)
            print(run.stdout.decode().strip(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000, run.stderr)
            """);
        using Socket connection = Asked(listener);
        byte[] reply = new byte[(60 * Megabyte) + 1];
        reply.AsSpan().Fill((byte)'\t');
        reply[^1] = (byte)'\n';
        connection.Send(reply);
        string[] told = asking.WaitForEnd().Output.Split(' ');
        Assert.InRange(long.Parse(told[0], CultureInfo.InvariantCulture), reply.Length - 1, (2 * reply.Length) + 200);
        Assert.InRange(int.Parse(told[1], CultureInfo.InvariantCulture), 1, mostMegabytes);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_piece_is_printed_while_the_rest_is_still_to_come_and_no_character_is_cut(string kind)
    {
        foreach ((string option, string first, string all) in new[]
        {
            ("", "FROM SERVER: gr", "FROM SERVER: grüne \\x1b[31mWiese\n"),
            ("--raw", "gr", "grüne \e[31mWiese\r\n"),
        })
        {
            string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            try
            {
                using Socket listener = Listening();
                using Program asking = Ask(option, listener, $"> {file}", kind);
                using Socket connection = Asked(listener);

                // The last two bytes of a part may belong to the end of the line: so it is cut within the ü, and within the escape.
                connection.Send("grün"u8);
                Waiting.Until(
                    () => File.Exists(file) && File.ReadAllText(file).StartsWith(first, StringComparison.Ordinal), "nothing came");
                connection.Send("e \e[31m"u8);
                Waiting.Until(() => File.ReadAllText(file).Contains("grüne ", StringComparison.Ordinal), "no more came");
                connection.Send("Wiese\r\n"u8);
                Assert.Equal((0, ""), (asking.WaitForEnd().ExitCode, asking.Error));
                Assert.Equal(all, File.ReadAllText(file));
            }
            finally
            {
                File.Delete(file);
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("--raw")]
    public void A_terminal_is_driven_by_no_piece(string option)
    {
        using Socket listener = Listening();
        string ask = $"'{Doorbells.File("native")}' ask {option} tcp://{listener.LocalEndPoint} question";
        using Program terminal = Program.Start("script", "-qefc", ask, "/dev/null");
        using Socket connection = Asked(listener);
        connection.NoDelay = true;
        foreach (byte part in "\e[31mgrün \u009b31m\u202e\n"u8)
        {
            connection.Send([part]);
        }

        string shown = terminal.WaitForEnd().Output;
        Assert.Contains("\\x1b[31mgrün \\u{9b}31m\\u{202e}", shown, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', shown);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--raw")]
    [InlineData("--json")]
    public void A_reply_without_end_ends_with_its_time_and_what_came_stays_printed(string option)
    {
        using Socket listener = Listening();
        using Program asking = Ask($"--timeout 1 {option}", listener, "| tail -c 1 | od -An -tx1");
        using Socket connection = Asked(listener);

        // As fast as the client takes it, but JSON, which holds it, so that it has no more than it may hold.
        byte[] part = new byte[option == "--json" ? 100 : Megabyte];
        part.AsSpan().Fill((byte)'x');
        SendUntilItEnds(connection, part, once: option == "--json");
        Ended ended = asking.WaitForEnd();
        Assert.Equal((1, " 0a\n"), (ended.ExitCode, ended.Output));
        Assert.Matches("^doorbell: receive tcp://[^ ]+: .*the reply has no end after [0-9]+ bytes within 1 s[^\n]*\n$", ended.Error);
    }

    [Fact]
    public void A_reply_too_long_for_a_json_record_is_refused()
    {
        using Socket listener = Listening();
        using Program asking = Ask("--timeout 25 --json", listener, "| wc -c");
        using Socket connection = Asked(listener);
        SendUntilItEnds(connection, [.. Enumerable.Repeat((byte)'x', Megabyte)], once: false);
        Ended ended = asking.WaitForEnd();
        Assert.Equal((1, "0\n"), (ended.ExitCode, ended.Output));
        Assert.Contains("the reply has no end after 67108864 bytes", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>Its standard output is a pipe of 4 KiB that is open, and is never read.</summary>
    [Theory]
    [InlineData("tcp", "")]
    [InlineData("tcp", "--raw")]
    [InlineData("tcp", "--json")]
    [InlineData("udp", "")]
    [InlineData("udp", "--json")]
    public void A_reader_that_does_not_read_ends_it_with_its_time(string scheme, string option)
    {
        bool isStream = scheme == "tcp";
        using Socket server = isStream ? Listening() : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        if (!isStream)
        {
            server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        }

        using Program asking = Program.Start("python3", "-c", $"""
            import fcntl, os, subprocess, sys
            reads, writes = os.pipe()
            fcntl.fcntl(writes, 1031, 4096)
            words = "ask --timeout 1 {option} {scheme}://{server.LocalEndPoint} question".split()
            sys.exit(subprocess.run(["{Doorbells.File("native")}"] + words, stdout=writes, timeout=25).returncode)
            """);
        byte[] reply = [.. Enumerable.Repeat((byte)'x', isStream ? Megabyte : 50_000), (byte)'\n'];
        if (isStream)
        {
            using Socket connection = Asked(server);
            SendUntilItEnds(connection, reply, once: true);
            Complains(asking);
            return;
        }

        EndPoint client = new IPEndPoint(IPAddress.Any, 0);
        server.ReceiveFrom(new byte[100], ref client);
        server.SendTo(reply, client);
        Complains(asking);
        static void Complains(Program asking)
        {
            Ended ended = asking.WaitForEnd();
            Assert.Equal(1, ended.ExitCode);
            Assert.Equal(
                "doorbell: write standard output: time ran out before its reader had taken the reply; allow more with --timeout\n",
                ended.Error);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("--raw")]
    public void A_reader_that_goes_ends_a_reply_without_end(string option)
    {
        using Socket listener = Listening();
        using Program asking = Ask($"--timeout 60 {option}", listener, "| head -c 100000 | wc -c");
        using Socket connection = Asked(listener);
        SendUntilItEnds(connection, [.. Enumerable.Repeat((byte)'x', Megabyte)], once: false);
        Ended ended = asking.WaitForEnd();
        Assert.Equal((1, "100000\n"), (ended.ExitCode, ended.Output));
        Assert.Equal("doorbell: write standard output: EPIPE: Broken pipe; whoever read it has gone\n", ended.Error);
    }

    private static Socket Listening()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    /// <summary>Asks "question".</summary>
    private static Program Ask(string options, Socket listener, string output, string kind = "native") => Program.Start(
        "bash",
        "-c",
        $"""
        set -o pipefail
        '{Doorbells.File(kind)}' ask {options} tcp://{listener.LocalEndPoint} question {output}
        """);

    /// <summary>The connection on which "question" has come.</summary>
    private static Socket Asked(Socket listener)
    {
        Socket connection = listener.Accept();
        byte[] question = new byte[100];
        Assert.Equal("question\n"u8.Length, connection.Receive(question));
        return connection;
    }

    private static void SendUntilItEnds(Socket connection, byte[] part, bool once)
    {
        SocketError error;
        do
        {
            connection.Send(part, SocketFlags.None, out error);
        }
        while (error == SocketError.Success && !once);
    }
}
