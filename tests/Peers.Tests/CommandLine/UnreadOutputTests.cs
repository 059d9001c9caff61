using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// Standard output and standard error that nobody reads, or that nobody can write to: the command serves on, and a signal ends it. The
/// streams are named pipes that are full, and whose reading ends the command itself holds.
/// </summary>
public sealed class UnreadOutputTests : IDisposable
{
    private const string Full = "exec 7<>\"$0/pipe\"; head -c 65536 /dev/zero >&7; ";

    private static readonly string[] _signals = ["TERM", "INT", "QUIT", "HUP"];
    private readonly string _folder = Directory.CreateTempSubdirectory("doorbell").FullName;

    public UnreadOutputTests() => Assert.Equal(0, Program.Run("mkfifo", [Pipe]).ExitCode);

    /// <summary>Each verb that serves, each stream, and both.</summary>
    public static TheoryData<string, string> Unread
    {
        get
        {
            string[] verbs =
            [
                "serve echo unix://$0/door", "serve echo -v unix://$0/door", "serve echo --json -v --model async unix://$0/door",
                "serve echo -v --model process unix://$0/door", "serve echo -v --model prefork unix://$0/door",
                "serve echo -v --model thread unix://$0/door", "serve unix://$0/door --shell 'head -c 20000 /dev/zero >&2; echo >&2; cat'",
                "relay -v unix://$0/door unix://$0/up", "impair unix://$0/door unix://$0/up",
                "impair unix://$0/door unix://$0/up --json --control unix://$0/control",
            ];
            TheoryData<string, string> all = [];
            foreach (string verb in verbs)
            {
                all.Add(verb, ">&7");
                all.Add(verb, "2>&7");
                all.Add(verb, ">&7 2>&7");
            }

            return all;
        }
    }

    private string Pipe => Path.Combine(_folder, "pipe");

    private string Door => Path.Combine(_folder, "door");

    [Theory]
    [MemberData(nameof(Unread))]
    public void A_stream_that_nobody_reads_holds_up_neither_serving_nor_a_signal(string arguments, string redirection)
    {
        using Program upstream = Doorbells.Start("native", "serve", "echo", $"unix://{_folder}/up");
        upstream.WaitForLine("serving ");
        using Program served = Start(Full, arguments, redirection);
        for (int i = 0; i < 300; i++)
        {
            Echo(Door);
        }

        served.Signal(_signals[(arguments.Length + redirection.Length) % _signals.Length]);
        Assert.Equal(0, served.WaitForEnd().ExitCode);
        Assert.False(File.Exists(Door));
    }

    [Theory]
    [InlineData(Full)]
    [InlineData(Full + "dd oflag=nonblock if=/dev/null status=none >&7; ")]
    public void What_had_no_room_is_counted_and_the_count_is_told_when_somebody_reads(string full)
    {
        using Program served = Start(full, "serve unix://$0/door --shell 'yes complaint | head -n 30000 >&2; cat'", ">&7 2>&7");
        Echo(Door);
        using FileStream reader = new(Pipe, FileMode.Open, FileAccess.Read);
        byte[] zeros = new byte[65536];
        reader.ReadExactly(zeros);
        Assert.Equal(-1, zeros.AsSpan().IndexOfAnyExcept((byte)0));
        using StreamReader lines = new(reader);
        int complaints = 0;
        int dropped = 0;
        while (complaints < 30_000)
        {
            string line = lines.ReadLine()!;
            if (line.EndsWith(": complaint", StringComparison.Ordinal))
            {
                complaints++;
            }
            else if (line.EndsWith(" dropped here, since nobody read them", StringComparison.Ordinal))
            {
                Assert.StartsWith("doorbell: ", line, StringComparison.Ordinal);
                int told = int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
                complaints += told;
                dropped += told;
            }
        }

        // The program answers when all but a pipe of its complaints are logged, 2 MB, and 1 MiB of them may wait.
        Assert.Equal(30_000, complaints);
        Assert.NotEqual(0, dropped);
        served.Signal("TERM");
        while (!lines.ReadLine()!.StartsWith("served ", StringComparison.Ordinal))
        {
        }

        Assert.Equal(0, served.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("serve echo unix://$0/door", "> >(true)", "EPIPE")]
    [InlineData("relay unix://$0/door unix://$0/up", "> >(true)", "EPIPE")]
    [InlineData("impair unix://$0/door unix://$0/up", "> >(true)", "EPIPE")]
    [InlineData("serve echo unix://$0/door --json", "> /dev/full", "ENOSPC")]
    public void A_standard_output_that_takes_nothing_is_told_and_the_command_goes_on(string arguments, string redirection, string errno)
    {
        using Program upstream = Doorbells.Start("native", "serve", "echo", $"unix://{_folder}/up");
        upstream.WaitForLine("serving ");
        using Program served = Start("", arguments, redirection);
        Echo(Door);

        // The reader may have gone after the first line: the summary at the end finds out.
        served.Signal("TERM");
        Ended ended = served.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains($"write standard output: {errno}: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains("goes on without it", ended.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <param name="before">What the shell does before.</param>
    /// <param name="arguments">The command's, in the shell's words; $0 is the folder.</param>
    /// <param name="redirection">Of its standard streams.</param>
    private Program Start(string before, string arguments, string redirection) => Program.Start(
        "bash", "-c", $"{before}exec '{Doorbells.File("native")}' {arguments} {redirection}", _folder);

    /// <summary>One conversation, as soon as there is a server.</summary>
    private static void Echo(string path)
    {
        Socket? client = null;
        Waiting.Until(() => (client = TryConnect(path)) is not null, $"nobody serves {path}");
        client!.ReceiveTimeout = 30_000;
        using NetworkStream stream = new(client, ownsSocket: true);
        stream.Write("hello\n"u8);
        client.Shutdown(SocketShutdown.Send);
        using StreamReader answer = new(stream, Encoding.UTF8);
        Assert.Equal("hello\n", answer.ReadToEnd());
    }

    private static Socket? TryConnect(string path)
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }
}
