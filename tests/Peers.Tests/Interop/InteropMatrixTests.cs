namespace Doorbell.Tests;

/// <summary>
/// Every textbook client against <c>doorbell serve</c>, <c>doorbell ask</c> against every textbook server, and Debian's ncat, nc and
/// socat on both sides. The README shows this matrix.
/// </summary>
public sealed class InteropMatrixTests
{
    private static readonly string _upper = $"perl {Path.Combine(Repository.Peers, "perl", "upper.pl")}";

    public static TheoryData<string, string> Languages =>
        new MatrixTheoryData<string, string>(["c", "java", "python", "perl", "node"], ["tcp", "udp"]);

    public static TheoryData<string, string> Tools => new MatrixTheoryData<string, string>(["ncat", "nc", "socat"], ["tcp", "udp"]);

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_textbook_client_is_answered(string language, string transport)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", $"{transport}://127.0.0.1:0");
        using (server)
        {
            (string file, string[] arguments) = Textbook.Client(language, transport);
            foreach (string sentence in new[] { "hello, world\n", "no newline" })
            {
                Ended client = Program.Run(file, [.. arguments, "127.0.0.1", $"{endpoint.Port}"], Sentence(language, transport, sentence));
                Assert.Equal($"FROM SERVER: {sentence.Trim().ToUpperInvariant()}", client.Output.Split('\n')[0].TrimEnd('\0', '\r'));
                Assert.Equal(0, client.ExitCode);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_textbook_server_is_asked(string language, string transport)
    {
        (string file, string[] arguments) = Textbook.Server(language, transport);
        using Program server = Program.Start(file, [.. arguments, "0"]);
        string port = server.WaitForLine("READY ").Split(' ')[1];
        foreach (string sentence in new[] { "hello, world", "and again" })
        {
            Ended asked = Doorbells.Run("native", "", "ask", $"{transport}://127.0.0.1:{port}", sentence);
            Assert.Equal(new Ended(0, $"FROM SERVER: {sentence.ToUpperInvariant()}\n", ""), asked);
        }
    }

    /// <summary>The C server never clears its buffer: behind a short answer stands the rest of a longer one.</summary>
    [Fact]
    public void What_a_stale_buffer_drags_along_is_said_and_is_no_answer()
    {
        (string file, string[] arguments) = Textbook.Server("c", "tcp");
        using Program server = Program.Start(file, [.. arguments, "0"]);
        string port = server.WaitForLine("READY ").Split(' ')[1];
        Ended asked = Doorbells.Run("native", "once and again\ntwo\nthree\n", "ask", $"tcp://127.0.0.1:{port}");
        Assert.Equal((1, "FROM SERVER: ONCE AND AGAIN\nFROM SERVER: TWO\n"), (asked.ExitCode, asked.Output));
        Assert.Contains("\" had come before the question was sent, so it is no answer to it", asked.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Tools))]
    public void A_tool_as_client_is_answered(string tool, string transport)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", $"{transport}://127.0.0.1:0");
        using (server)
        {
            (string file, string[] arguments) = tool switch
            {
                "ncat" => ("ncat", [.. Udp(transport, "-u"), "127.0.0.1", $"{endpoint.Port}"]),
                "nc" => ("nc", [.. Udp(transport, "-u"), "127.0.0.1", $"{endpoint.Port}"]),
                _ => ("socat", new[] { "-", $"{transport.ToUpperInvariant()}:127.0.0.1:{endpoint.Port}" }),
            };

            // Their standard input stays open until the answer is there: over UDP ncat ends with it at once.
            using Program client = Program.Start(file, arguments);
            client.Input.Write("hello, world\n"u8);
            client.Input.Flush();
            Assert.Equal("HELLO, WORLD", client.WaitForLine("HELLO"));
        }
    }

    [Theory]
    [MemberData(nameof(Tools))]
    public void A_tool_as_server_is_asked(string tool, string transport)
    {
        int port = Ports.Free(transport);
        bool udp = transport == "udp";
        string listen = tool switch
        {
            "ncat" => $"exec ncat {(udp ? "-u " : "")}-l 127.0.0.1 {port} --sh-exec '{_upper}'",
            "nc" => $"cd $(mktemp -d) && mkfifo pipe && nc {(udp ? "-u " : "")}-l 127.0.0.1 {port} < pipe | {_upper} > pipe",
            _ => $"exec socat {(udp ? "UDP-RECVFROM" : "TCP-LISTEN")}:{port},bind=127.0.0.1,fork EXEC:'{_upper}'",
        };
        using Program server = Program.Start("bash", ["-c", listen]);
        Ports.WaitUntilServed(transport, port);
        Ended asked = Doorbells.Run("native", "", "ask", $"{transport}://127.0.0.1:{port}", "hello, world");
        Assert.Equal("FROM SERVER: HELLO, WORLD\n", asked.Output);
        Assert.Equal(0, asked.ExitCode);
    }

    private static string[] Udp(string transport, string option) => transport == "udp" ? [option] : [];

    /// <summary>
    /// A textbook client that reads a line waits for one: without a newline only those that end or send a NUL can be answered.
    /// </summary>
    private static string Sentence(string language, string transport, string sentence) =>
        transport == "tcp" && language is "python" or "node" ? sentence.TrimEnd() + "\n" : sentence;
}
