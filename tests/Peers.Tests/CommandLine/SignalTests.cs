using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>The signals that ask a command to end: each lets it drain, and none leaves a unix socket's file.</summary>
public sealed class SignalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("doorbell").FullName;

    public static TheoryData<string, string> Models => new MatrixTheoryData<string, string>(
        ["TERM", "INT", "QUIT", "HUP"],
        ["serve --model loop", "serve --model loop --engine epoll", "serve --model async", "serve --model thread", "serve --model pool",
            "serve --model iterative", "serve --model process", "serve --model prefork", "relay"]);

    private string Door => Path.Combine(_folder, "door");

    [Theory]
    [MemberData(nameof(Models))]
    public void Each_signal_drains(string signal, string arguments)
    {
        using Program upstream = Doorbells.Start("native", "serve", $"unix://{_folder}/up");
        upstream.WaitForLine("serving ");
        using Program served = Start(arguments, "60");
        using NetworkStream begun = Begin();
        served.Signal(signal);
        begun.Write("ne\n"u8);
        byte[] answer = new byte[5];
        begun.ReadExactly(answer);
        Assert.Equal("LINE\n"u8, answer);
        begun.Socket.Shutdown(SocketShutdown.Send);
        Ended ended = served.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Contains(" 0 errors", ended.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Door));
    }

    [Theory]
    [InlineData("HUP", "HUP", "serve")]
    [InlineData("HUP", "QUIT", "serve --model process")]
    [InlineData("QUIT", "TERM", "serve --model thread")]
    [InlineData("TERM", "HUP", "relay")]
    public void The_second_ends_it_now(string first, string second, string arguments)
    {
        using Program upstream = Doorbells.Start("native", "serve", $"unix://{_folder}/up");
        upstream.WaitForLine("serving ");
        using Program served = Start(arguments, "600");
        using NetworkStream begun = Begin();
        served.Signal(first);
        Waiting.Until(() => !IsServed(), $"it accepts after SIG{first}");
        served.Signal(second);
        Assert.Equal(0, served.WaitForEnd().ExitCode);
        Assert.False(File.Exists(Door));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    [InlineData("HUP")]
    public void Impair_ends_and_says_what_it_did(string signal)
    {
        using Program served = Doorbells.Start(
            "native", "impair", $"unix://{Door}", $"unix://{_folder}/up", "--control", $"unix://{_folder}/control");
        served.WaitForLine("impairing ");
        served.Signal(signal);
        Ended ended = served.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("up: 0 bytes received", ended.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_hang_up_that_is_ignored_stays_ignored()
    {
        using Program served = Program.Start("nohup", Doorbells.File("native"), "serve", $"unix://{Door}");
        served.WaitForLine("serving ");
        served.Signal("HUP");
        using (NetworkStream begun = Begin())
        {
            begun.Write("ne\n"u8);
            begun.ReadExactly(new byte[5]);
        }

        served.Signal("TERM");
        Assert.Contains("served 1 connection", served.WaitForEnd().Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Program Start(string arguments, string drain)
    {
        string[] words = arguments.Split(' ');
        string[] doors = words[0] == "relay" ? [$"unix://{Door}", $"unix://{_folder}/up"] : [$"unix://{Door}"];
        Program served = Doorbells.Start("native", [.. words, .. doors, "--drain", drain]);
        served.WaitForLine(words[0] == "relay" ? "relaying " : "serving ");
        return served;
    }

    /// <summary>A conversation whose second line has begun.</summary>
    private NetworkStream Begin()
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        client.Connect(new UnixDomainSocketEndPoint(Door));
        NetworkStream stream = new(client, ownsSocket: true);
        stream.Write("a\nli"u8);
        stream.ReadExactly(new byte[2]);
        return stream;
    }

    private bool IsServed()
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(Door));
            return true;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.WouldBlock;
        }
    }
}
