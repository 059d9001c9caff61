using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests.Transfers;

/// <summary><c>doorbell send</c> and <c>doorbell receive</c>, with each other, through a bad network, and with nc.</summary>
public sealed class SendReceiveTests : IDisposable
{
    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("doorbell-send-");

    public static TheoryData<string> Both => Doorbells.Both;

    private string Into => Directory.CreateDirectory(Path.Combine(_here.FullName, "into")).FullName;

    [Theory]
    [MemberData(nameof(Both))]
    public void Files_get_into_the_folder_and_both_end(string kind)
    {
        string first = Save("first", 300_000);
        string second = Save("second one", 0);
        using Program receiver = Receive(kind, out string where, Into);
        Ended sent = Doorbells.Run(kind, "", "send", first, second, where);
        Assert.Equal((0, ""), (sent.ExitCode, sent.Error));
        Assert.Matches(
            "^sent first, 300000 bytes, sha256 [0-9a-f]{64}\nsent second one, 0 bytes, sha256 e3b0c442[0-9a-f]{56}\n$", sent.Output);
        Ended received = receiver.WaitForEnd();
        Assert.Equal((0, ""), (received.ExitCode, received.Error));
        Assert.EndsWith(sent.Output.Replace("sent ", "received ", StringComparison.Ordinal), received.Output, StringComparison.Ordinal);
        AssertSame(first);
        AssertSame(second);
    }

    [Fact]
    public void A_cut_transfer_goes_on_where_it_was()
    {
        string file = Save("file", 3_000_000);
        using Program receiver = Receive("native", out string where, Into);
        using Program network = Doorbells.Start(
            "native", "impair", "tcp://127.0.0.1:0", where, "--reset-after", "1m/off", "--slice", "64k");
        string line = network.WaitForLine("impairing ");
        string through = line[(line.LastIndexOf(' ') + 1)..];
        Ended once = Doorbells.Run("native", "", "send", file, through);
        Assert.Equal((1, 1), (once.ExitCode, once.Error.Count(static c => c == '\n')));
        Assert.Contains("the same command goes on where it was", once.Error, StringComparison.Ordinal);
        Ended again = Doorbells.Run("native", "", "send", "--tries", "5", "--json", file, through);
        Assert.Equal((0, ""), (again.ExitCode, again.Error));
        Assert.Matches("\"bytes\":3000000,\"before\":[1-9]", again.Output);
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
        AssertSame(file);
    }

    /// <summary>What can't be written is told at once, and the sender hears that it has not arrived.</summary>
    [Theory]
    [InlineData(">/dev/full", "ENOSPC")]
    [InlineData("1>&-", "it is closed")]
    public void Bytes_that_cannot_be_written_end_both(string output, string says)
    {
        string file = Save("file", 100_000);
        string where = $"unix://{_here.FullName}/socket";
        Ended both = Program.Run("sh", ["-c",
            $"'{Doorbells.File("native")}' receive --plain {where} {output} & receiver=$!; "
            + $"'{Doorbells.File("native")}' send --tries 5 --timeout 5 --plain '{file}' {where} 2>/dev/null; wait $receiver; exit $?"]);
        Assert.Equal(1, both.ExitCode);
        Assert.Contains("write standard output: ", both.Error, StringComparison.Ordinal);
        Assert.Contains(says, both.Error, StringComparison.Ordinal);
    }

    /// <summary>A limit of the files' size (ulimit -f) is told on both sides, and ends no receiver by a signal.</summary>
    [Fact]
    public void A_file_larger_than_may_be_written_is_refused()
    {
        string file = Save("file", 100_000);
        using Program receiver = Program.Start(
            "bash", "-c", $"ulimit -f 8; exec '{Doorbells.File("native")}' receive --keep tcp://127.0.0.1:0 '{Into}'");
        string line = receiver.WaitForLine("receiving on ");
        Ended sent = Doorbells.Run("native", "", "send", file, line[(line.LastIndexOf(' ') + 1)..]);
        Assert.Equal(1, sent.ExitCode);
        Assert.Contains("the peer refuses: file: EFBIG (File too large)", sent.Error, StringComparison.Ordinal);
        receiver.WaitForError("file: EFBIG (File too large)");
        receiver.Signal("TERM");
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
    }

    [Fact]
    public void Lines_that_can_not_be_printed_make_the_exit_code_1()
    {
        string where = $"unix://{_here.FullName}/socket";
        string doorbell = Doorbells.File("native");
        string file = Save("file", 1000);
        Ended both = Program.Run("sh", ["-c",
            $"'{doorbell}' receive {where} '{Into}' >/dev/full & receiver=$!; "
            + $"'{doorbell}' send --tries 5 '{file}' {where} >/dev/full; echo $?; wait $receiver; echo $?"]);
        Assert.Equal("1\n1\n", both.Output);
        AssertSame(file);
    }

    /// <summary>To Linux a name is bytes.</summary>
    [Fact]
    public void A_name_that_is_no_utf_8_stays_as_it_is()
    {
        using Program receiver = Receive("native", out string where, Into, "--json");
        string doorbell = Doorbells.File("native");
        Ended sent = Program.Run(
            "bash", ["-ec", $"cd '{_here.FullName}'; echo hello >$'a\\xff'; '{doorbell}' send --json $'a\\xff' {where}; rm $'a\\xff'"]);
        Assert.Equal((0, ""), (sent.ExitCode, sent.Error));
        Assert.Contains("\"nameBase64\":\"Yf8=\"", sent.Output, StringComparison.Ordinal);
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
        Assert.Equal("hello\n", Program.Run("bash", ["-c", $"cd '{Into}'; cat $'a\\xff'; rm $'a\\xff'"]).Output);
    }

    [Theory]
    [InlineData("ln -s /etc/passwd .file.doorbell-part", "ELOOP (Too many levels of symbolic links)")]
    [InlineData("ln mine .file.doorbell-part", "is no file of its own")]
    [InlineData("mkfifo .file.doorbell-part", "is no file of its own")]
    [InlineData("mkdir .file.doorbell-part", "EISDIR (Is a directory)")]
    public void A_part_that_is_no_file_of_its_own_is_refused(string make, string says)
    {
        Assert.Equal(0, Program.Run("bash", ["-ec", $"cd '{Into}'; echo mine >mine; {make}"]).ExitCode);
        using Program receiver = Receive("native", out string where, Into, "--keep", "--force");
        Ended sent = Doorbells.Run("native", "", "send", Save("file", 1000), where);
        Assert.Equal(1, sent.ExitCode);
        Assert.Contains(says, sent.Error, StringComparison.Ordinal);
        Assert.Equal("mine\n", File.ReadAllText(Path.Combine(Into, "mine")));
    }

    /// <summary>Other programs have parts too.</summary>
    [Fact]
    public void A_part_of_another_program_is_left_alone()
    {
        File.WriteAllText(Path.Combine(Into, ".file.part"), "mine");
        using Program receiver = Receive("native", out string where, Into);
        Assert.Equal(0, Doorbells.Run("native", "", "send", Save("file", 1000), where).ExitCode);
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Into, ".file.part")));
    }

    [Fact]
    public void A_host_and_its_port_may_be_two_words()
    {
        int port = Ports.Free("tcp");
        string file = Save("file", 1000);
        using Program receiver = Doorbells.Start("native", "receive", "127.0.0.1", $"{port}", Into);
        receiver.WaitForLine("receiving on ");
        Assert.Equal(0, Doorbells.Run("native", "", "send", file, "127.0.0.1", $"{port}").ExitCode);
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
        AssertSame(file);
    }

    [Fact]
    public void A_file_whose_size_is_not_told_is_not_sent_as_an_empty_one()
    {
        Ended refused = Doorbells.Run("native", "", "send", "/proc/self/maps", "tcp://127.0.0.1:1");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("tells no size of it", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_file_of_the_name_is_refused_on_both_sides_and_replaced_with_force()
    {
        string file = Save("file", 1000);
        File.WriteAllText(Path.Combine(Into, "file"), "mine");
        using Program careful = Receive("native", out string where, Into, "--keep", "--json");
        Ended refused = Doorbells.Run("native", "", "send", file, where);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("the peer refuses: file exists already", refused.Error, StringComparison.Ordinal);
        careful.WaitForError("file exists already");
        careful.Signal("TERM");
        Assert.Equal(0, careful.WaitForEnd().ExitCode);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Into, "file")));
        using Program forced = Receive("native", out where, Into, "--force");
        Assert.Equal(0, Doorbells.Run("native", "", "send", file, where).ExitCode);
        AssertSame(file);
    }

    [Fact]
    public void Plain_bytes_go_to_and_come_from_nc()
    {
        string file = Save("file", 200_000);
        int port = Ports.Free("tcp");
        string copy = Path.Combine(_here.FullName, "copy");
        using Program nc = Program.Start("bash", "-c", $"nc -l 127.0.0.1 {port} > '{copy}'");
        Ports.WaitUntilServed("tcp", port);
        Ended sent = Doorbells.Run("native", "", "send", "--plain", file, $"tcp://127.0.0.1:{port}");
        Assert.Equal((0, ""), (sent.ExitCode, sent.Error + sent.Output));
        Assert.Equal(0, nc.WaitForEnd().ExitCode);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(copy));
        port = Ports.Free("tcp");
        using Program receiver = Program.Start(
            "bash", "-c", $"'{Doorbells.File("native")}' receive --plain tcp://127.0.0.1:{port} > '{copy}'");
        Ports.WaitUntilServed("tcp", port);
        Assert.Equal(0, Program.Run("bash", ["-c", $"nc -N 127.0.0.1 {port} < '{file}'"]).ExitCode);
        Assert.Equal(0, receiver.WaitForEnd().ExitCode);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(copy));
    }

    [Fact]
    public void A_peer_that_falls_silent_is_given_up()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        Ended ended = Doorbells.Run("native", "", "send", "--idle-timeout", "300ms", Save("file", 10), $"tcp://{silent.LocalEndPoint}");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("no byte moved for 0.3 s", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("send takes files and behind them an ENDPOINT", "send", "tcp://127.0.0.1:1")]
    [InlineData("read nosuch: ", "send", "nosuch", "tcp://127.0.0.1:1")]
    [InlineData("read /: EISDIR", "send", "/", "tcp://127.0.0.1:1")]
    [InlineData("files go over streams", "send", "/etc/passwd", "udp://127.0.0.1:1")]
    [InlineData("two files have the same name", "send", "/etc/passwd", "/etc/../etc/passwd", "tcp://127.0.0.1:1")]
    [InlineData("--plain sends the bytes of one file", "send", "--plain", "/etc/passwd", "/etc/group", "tcp://127.0.0.1:1")]
    [InlineData("is no folder", "receive", "tcp://127.0.0.1:0", "/nosuch")]
    [InlineData("the files stand first and the ENDPOINT behind them", "send", "tcp://127.0.0.1:1", "/etc/passwd")]
    [InlineData("the ENDPOINT stands first and the folder behind it", "receive", "/tmp", "tcp://127.0.0.1:0")]
    [InlineData("the ENDPOINT stands first and what to ask behind it", "load", "hello", "tcp://127.0.0.1:1")]
    [InlineData("files come over streams", "receive", "udp://127.0.0.1:0")]
    [InlineData("leave out --force, --keep and --json", "receive", "--plain", "--keep", "tcp://127.0.0.1:0")]
    public void Wrong_usage_is_one_line(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal((2, "", 1), (ended.ExitCode, ended.Output, ended.Error.Count(static c => c == '\n')));
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _here.Delete(recursive: true);

    private static Program Receive(string kind, out string where, params string[] arguments)
    {
        Program receiver = Doorbells.Start(kind, ["receive", "tcp://127.0.0.1:0", .. arguments]);
        string line = receiver.WaitForLine("tcp://");
        where = $"tcp://127.0.0.1:{Endpoint.Parse(line[line.IndexOf("tcp://", StringComparison.Ordinal)..].Split('"')[0]).Port}";
        return receiver;
    }

    private string Save(string name, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        string path = Path.Combine(_here.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private void AssertSame(string file) =>
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(Into, Path.GetFileName(file))));
}
