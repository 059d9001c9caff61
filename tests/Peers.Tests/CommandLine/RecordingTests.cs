using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>connect --hex</c>, <c>--record</c> and <c>--replay</c>.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-recording-");

    private string File => Path.Combine(_folder.FullName, "recording.jsonl");

    /// <summary>Every byte, and lines that are whole, cut, and empty.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(700)]
    public void A_dump_is_hexdumps_with_its_direction(int length)
    {
        byte[] bytes = [.. Enumerable.Range(0, length).Select(static number => (byte)number)];
        string input = Path.Combine(_folder.FullName, "input");
        System.IO.File.WriteAllBytes(input, bytes);
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using Program ends = server;
        Ended ended = Program.Run("bash", ["-c", $"'{Doorbells.File("native")}' connect --hex {endpoint} <{input} >/dev/null"]);
        string[] hexdump = Program.Run("hexdump", ["-C", "-v", input]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string expected = string.Concat(hexdump.SkipLast(1).Select(static line => line + "\n"));
        Assert.Equal(expected, Lines(ended.Error, "> "));
        Assert.Equal(expected, Lines(ended.Error, "< "));
        Assert.Equal(0, ended.ExitCode);

        static string Lines(string dump, string way) => string.Concat(dump.Split('\n')
            .Where(line => line.StartsWith(way, StringComparison.Ordinal)).Select(static line => line[2..] + "\n"));
    }

    [Theory]
    [InlineData("tcp", "hello.", "HELLO.", "0a ")]
    [InlineData("udp", "hello", "HELLO", "   ")]
    public void What_ask_sends_and_hears_is_dumped(string transport, string question, string answer, string end)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", $"{transport}://127.0.0.1:0");
        using Program ends = server;
        string blanks = new(' ', 32);
        Ended ended = Doorbells.Run("native", "", "ask", "--hex", $"{endpoint}", "hello");
        string expected = $"> 00000000  68 65 6c 6c 6f {end}{blanks}|{question}|\n< 00000000  48 45 4c 4c 4f {end}{blanks}|{answer}|\n";
        Assert.Equal(new Ended(0, "FROM SERVER: HELLO\n", expected), ended);
    }

    [Fact]
    public void Each_datagram_is_dumped_from_its_own_beginning()
    {
        using Program listening = Doorbells.Start("native", "listen", "--hex", "--keep", "udp://127.0.0.1:0");
        listening.WaitForError("listening on ");
        string line = listening.Error.Split('\n').First(static line => line.Contains("listening on ", StringComparison.Ordinal));
        using Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Connect(IPAddress.Loopback, int.Parse(line[(line.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        peer.Send("one"u8);
        peer.Send("two"u8);
        string blanks = new(' ', 40);
        listening.WaitForError($"< 00000000  6f 6e 65 {blanks} |one|");
        listening.WaitForError($"< 00000000  74 77 6f {blanks} |two|");
    }

    [Fact]
    public void A_recording_has_all_bytes_in_order_with_their_times_and_ends()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        Ended ended = Doorbells.Run("native", "straße\n", "connect", "--record", File, $"{endpoint}");
        Assert.Equal(new Ended(0, "STRASSE\n", ""), ended);
        JsonElement[] lines = [.. System.IO.File.ReadLines(File).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(1, lines[0].GetProperty("recording").GetInt32());
        Assert.Equal($"{endpoint}", lines[0].GetProperty("endpoint").GetString());
        Assert.Equal("straße\n", Assert.Single(lines, static line => line.TryGetProperty("sent", out _)).GetProperty("sent").GetString());
        Assert.Equal("STRASSE\n", string.Concat(lines.Where(static line => line.TryGetProperty("received", out _))
            .Select(static line => line.GetProperty("received").GetString())));
        string[] sides = [.. lines.Where(static line => line.TryGetProperty("end", out _))
            .Select(static line => line.GetProperty("end").GetString()!)];
        Assert.Equal(["sent", "received"], sides);
        double[] times = [.. lines[1..].Select(static line => line.GetProperty("at").GetDouble())];
        Assert.Equal(times.Order(), times);
    }

    /// <summary>A property: whatever was recorded is the same to the same server, byte for byte.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_was_recorded_is_no_difference_to_the_same_server(int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[random.Next(1, 3_000_000)];
        random.NextBytes(bytes);
        string input = Path.Combine(_folder.FullName, "input");
        System.IO.File.WriteAllBytes(input, bytes);
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using Program ends = server;
        string doorbell = Doorbells.File("native");
        Ended recorded = Program.Run("bash", ["-c", $"'{doorbell}' connect --record {File} {endpoint} <{input} | cmp - {input}"]);
        Assert.Equal(new Ended(0, "", ""), recorded);
        Assert.Equal(new Ended(0, "", ""), Doorbells.Run("native", "", "connect", "--replay", File, $"{endpoint}"));
    }

    [Theory]
    [InlineData("HELLO\n", 0, "")]
    [InlineData("HELLx\n", 1, ":3: tcp://PEER has answered \"x\\n\" where \"O\\n\" was recorded, behind 4 bytes that are the same")]
    [InlineData("HELLO\nmore", 1, ": tcp://PEER has said more than was recorded: \"more\", behind 6 bytes that are the same")]
    [InlineData("HEL", 1, ":3: tcp://PEER has ended after 3 bytes, and more was recorded")]
    [InlineData("", 1, ":3: tcp://PEER has ended after 0 bytes, and more was recorded")]
    public void The_first_difference_is_told(string answer, int code, string says)
    {
        using Socket listener = Listener();
        Save("""{"at":0,"sent":"hello\n"}""", """{"at":0,"received":"HELLO\n"}""", """{"at":0,"end":"received"}""");
        using Program replay = Doorbells.Start("native", "connect", "--replay", File, $"tcp://{listener.LocalEndPoint}");
        using (Socket server = listener.Accept())
        {
            byte[] question = new byte[6];
            Assert.Equal(6, server.Receive(question));
            server.Send(Encoding.ASCII.GetBytes(answer));
            server.Shutdown(SocketShutdown.Send);
            Ended ended = replay.WaitForEnd();
            string expected = says.Replace("PEER", $"{listener.LocalEndPoint}", StringComparison.Ordinal);
            Assert.Equal(code, ended.ExitCode);
            Assert.Equal(code == 0 ? "" : $"doorbell: replay {File}{expected}\n", ended.Error);
        }
    }

    [Fact]
    public void A_server_that_answers_too_late_is_told()
    {
        using Socket listener = Listener();
        Save("""{"at":0,"sent":"hello\n"}""", """{"at":0.1,"received":"HELLO\n"}""");
        using Program replay = Doorbells.Start(
            "native", "connect", "--timeout", "300ms", "--replay", File, $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        server.Send("HE"u8);
        Ended ended = replay.WaitForEnd();
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(":3: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains("4 bytes of the recorded answer have not come", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>The second question stands behind the first answer, so it is not sent before that has come.</summary>
    [Fact]
    public void A_question_behind_an_answer_waits_for_it()
    {
        using Socket listener = Listener();
        Save(
            """{"at":0,"sent":"one\n"}""", """{"at":0,"received":"ONE\n"}""", """{"at":0,"sent":"two\n"}""",
            """{"at":0,"received":"TWO\n"}""");
        using Program replay = Doorbells.Start("native", "connect", "--replay", File, $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        byte[] question = new byte[100];
        Assert.Equal(4, server.Receive(question));
        Assert.False(server.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead), "the second question waits");
        server.Send("ONE\n"u8);
        Assert.Equal("two\n", Encoding.ASCII.GetString(question, 0, server.Receive(question)));
        server.Send("TWO\n"u8);
        Assert.Equal(new Ended(0, "", ""), replay.WaitForEnd());
    }

    [Theory]
    [InlineData("", "it is empty, and no recording")]
    [InlineData("{}", ":1: it is no recording")]
    [InlineData("""{"recording":2}""", ":1: it is a recording of version 2")]
    [InlineData("{\"recording\":1}\n{\"at\":0}", ":2: it has none of")]
    [InlineData("{\"recording\":1}\n{\"sent\":\"x\"}", ":2: \"at\" is missing")]
    [InlineData("{\"recording\":1}\n{\"at\":0,\"sentBase64\":\"!\"}", ":2: \"sentBase64\" is no base64")]
    [InlineData("{\"recording\":1}\n{\"at\":0,\"sent\":\"\"}", ":2: its text is empty")]
    [InlineData("{\"recording\":1}\n{\"at\":0,\"sent\":\"a\",\"received\":\"A\"}", ":2: it has both \"sent\" and \"received\"")]
    [InlineData("{\"recording\":1}\n{\"at\":0,\"end\":\"sent\",\"sent\":\"a\"}", ":2: it has both \"sent\" and \"end\"")]
    [InlineData("{\"recording\":1}\nhello", ":2: a line of a recording is a JSON object")]
    public void What_is_no_recording_is_told_with_its_line(string text, string says)
    {
        System.IO.File.WriteAllText(File, text);
        Ended ended = Doorbells.Run("native", "", "connect", "--replay", File, "tcp://127.0.0.1:1");
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>An end is the last that goes its way.</summary>
    [Theory]
    [InlineData("sent", "{\"at\":0,\"sent\":\"a\"}")]
    [InlineData("sent", "{\"at\":0,\"end\":\"sent\"}")]
    [InlineData("received", "{\"at\":0,\"received\":\"a\"}")]
    public void A_line_behind_its_way_s_end_is_told(string way, string behind)
    {
        using Socket listener = Listener();
        Save($"{{\"at\":0,\"end\":\"{way}\"}}", behind);
        using Program replay = Doorbells.Start("native", "connect", "--replay", File, $"tcp://{listener.LocalEndPoint}");
        using Socket server = listener.Accept();
        server.Shutdown(SocketShutdown.Send);
        Ended ended = replay.WaitForEnd();
        Assert.Equal(2, ended.ExitCode);
        Assert.Equal($"doorbell: {File}:3: nothing is \"{way}\" behind the line where \"{way}\" ends\n", ended.Error);
    }

    [Fact]
    public void Without_an_endpoint_a_replay_goes_where_the_recorded_client_went()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        Assert.Equal(0, Doorbells.Run("native", "hello\n", "connect", "--record", File, $"{endpoint}").ExitCode);
        Assert.Equal(new Ended(0, "", ""), Doorbells.Run("native", "", "connect", "--replay", File));
        System.IO.File.WriteAllText(File, "{\"recording\":1}\n");
        Ended ended = Doorbells.Run("native", "", "connect", "--replay", File);
        Assert.Equal(new Ended(2, "", $"doorbell: {File}:1: \"endpoint\" is missing, so give an ENDPOINT on the command line\n"), ended);
    }

    [Fact]
    public void A_recording_that_can_not_be_written_ends_the_command()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using Program ends = server;
        foreach (string file in (string[])["/dev/full", "/no/such/folder/file"])
        {
            Ended ended = Doorbells.Run("native", "hello\n", "connect", "--record", file, $"{endpoint}");
            Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
            string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith($"doorbell: write {file}: ", line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--record x --replay x tcp://127.0.0.1:1", "--record and --replay exclude each other")]
    [InlineData("--record x udp://127.0.0.1:1", "--record and --replay are for streams")]
    [InlineData("--record x tcp://127.0.0.1:1 --exec true", "--record has no effect with --exec and --shell")]
    public void Options_that_do_not_fit_are_wrong_usage(string words, string says)
    {
        Ended ended = Doorbells.Run("native", "", ["connect", .. words.Split(' ')]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void Save(params string[] lines) =>
        System.IO.File.WriteAllLines(File, ["""{"recording":1,"endpoint":"tcp://localhost:1","began":"2026-01-01T00:00:00Z"}""", .. lines]);

    private static Socket Listener()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }
}
