using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>How <c>doorbell impair</c> is changed while it runs.</summary>
public sealed class ImpairControlTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void A_line_changes_what_becomes_of_the_next_datagram(string kind)
    {
        string path = NewPath();
        (Program server, Endpoint upstream) = Doorbells.Serve(kind, "udp://127.0.0.1:0");
        using (server)
        using (Program proxy = Doorbells.Start(
            kind, "impair", "udp://127.0.0.1:0", $"{upstream}", "--loss", "100%", "--control", $"unix://{path}"))
        {
            string line = proxy.WaitForLine("impairing ");
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
            client.Connect(IPAddress.Loopback, Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]).Port);
            client.Send("lost"u8);
            Assert.False(Impaired.Hears(client));
            Assert.Equal("ok", Impaired.Say(path, "loss off"));
            client.Send("a"u8);
            byte[] answer = new byte[100];
            Assert.Equal((1, (byte)'A'), (client.Receive(answer), answer[0]));
            proxy.Signal("TERM");
            Assert.Contains("1 dropped (1 loss)", proxy.WaitForEnd().Output, StringComparison.Ordinal);
            Assert.False(File.Exists(path));
        }
    }

    [Theory]
    [InlineData("tcp", "nothing is impaired")]
    [InlineData("tcp",
        "delay 20ms/5ms jitter 1ms,normal/off rate 10m,64k slice 10,1ms,4 stall 64k/off close-after 5,10ms/off"
            + " reset-after 7,1000ms half-open off/on slow-close 2000ms share 30%")]
    [InlineData("udp", "loss 10%/2.5% burst-loss 5%,8 duplicate 1% reorder 2%,20ms/off corrupt off/3% delay 0.5ms rate 64k,1m mtu 576")]
    public void What_it_shows_is_what_would_set_it(string transport, string words)
    {
        string path = NewPath();
        using Program proxy = Start(transport, path);
        string set = words.StartsWith("nothing", StringComparison.Ordinal) ? "clear" : words;
        Assert.Equal(("ok", words), (Impaired.Say(path, set), Impaired.Say(path, "show")));
        Assert.Equal(("ok", "nothing is impaired"), (Impaired.Say(path, "clear"), Impaired.Say(path, "show")));
    }

    [Fact]
    public void A_profile_is_the_base_that_the_other_words_change()
    {
        string path = NewPath();
        using Program proxy = Start("udp", path);
        Assert.Equal("ok", Impaired.Say(path, "delay 1ms like geo-satellite only down jitter 2ms"));
        Assert.Equal(
            "burst-loss off/0.5%,5 delay off/1ms jitter off/2ms rate off/50m,1m mtu off/1500", Impaired.Say(path, "show"));
    }

    [Theory]
    [InlineData("loss 110%", "loss takes a percentage from 0% to 100%, as in 10%; or two of them, UP/DOWN; or off; not \"110%\"")]
    [InlineData("delay 5ms loss", "\"loss\" stands alone")]
    [InlineData("speed 5", "\"speed\" is no setting: there are loss, burst-loss")]
    [InlineData("delay 5ms stall 5", "stall is for streams")]
    [InlineData("like modem", "\"modem\" is no profile")]
    [InlineData("\u001b[2J 5", "\"\\x1b[2J\" is no setting")]
    public void A_wrong_line_is_answered_by_one_that_says_so_and_changes_nothing(string line, string says)
    {
        string path = NewPath();
        using Program proxy = Start("udp", path);
        string answer = Impaired.Say(path, line);
        Assert.StartsWith("error: " + says, answer, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', answer);
        Assert.Equal("nothing is impaired", Impaired.Say(path, "show"));
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void The_socket_is_its_owners_alone()
    {
        string path = NewPath();
        using Program proxy = Start("udp", path);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Quit_ends_it_with_the_summary()
    {
        string path = NewPath();
        using Program proxy = Start("tcp", path);
        Assert.Equal("ok", Impaired.Say(path, "quit"));
        Ended ended = proxy.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Contains("0 connections", ended.Output, StringComparison.Ordinal);
    }

    private static string NewPath() => Path.Combine(Path.GetTempPath(), $"doorbell-impair-{Guid.NewGuid():N}");

    private static Program Start(string transport, string path)
    {
        Program proxy = Doorbells.Start(
            "native", "impair", $"{transport}://127.0.0.1:0", $"{transport}://127.0.0.1:9", "--control", $"unix://{path}");
        proxy.WaitForLine("impairing ");
        return proxy;
    }
}
