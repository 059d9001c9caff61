using System.Globalization;

namespace Doorbell.Tests;

/// <summary>The command through proxies of others: <c>--via</c>.</summary>
public sealed class ViaTests
{
    public static TheoryData<string> Proxies => ["microsocks", "microsocks with a password", "ncat", "ncat with a password", "tinyproxy"];

    [Theory]
    [MemberData(nameof(Proxies))]
    public void Each_verb_goes_through(string kind)
    {
        (Program server, Endpoint capitalize) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        using Program proxy = Start(kind, out string via);
        string target = $"tcp://localhost:{capitalize.Port}";
        Assert.Equal("HELLO\n", Succeeded(Doorbells.Run("native", "", "ask", "--raw", "--via", via, target, "hello")));

        // These proxies end a connection at its half-close.
        (Program clock, Endpoint daytime) = Doorbells.Serve("native", "daytime", "tcp://127.0.0.1:0");
        using Program stops = clock;
        string told = Succeeded(
            Doorbells.Run("native", "", "connect", "--no-half-close", "--via", via, $"tcp://localhost:{daytime.Port}"));
        Assert.EndsWith("-UTC\n", told, StringComparison.Ordinal);
        string probed = Succeeded(Doorbells.Run("native", "", "probe", "--via", via, target));
        Assert.StartsWith($"{target}  open ", probed, StringComparison.Ordinal);
        using Program relay = Program.Start(
            Doorbells.File("native"), ["relay", "tcp://127.0.0.1:0", target, "--via", via]);
        string front = relay.WaitForLine("relaying ").Split(' ')[1];
        Assert.Equal("HELLO\n", Succeeded(Doorbells.Run("native", "", "ask", "--raw", front, "hello")));
    }

    [Fact]
    public void Proxies_of_two_kinds_stand_behind_each_other()
    {
        (Program server, Endpoint capitalize) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        using Program first = Start("microsocks with a password", out string socks);
        using Program second = Start("ncat", out string http);
        string[] arguments = ["ask", "--raw", "--via", socks, "--via", http, $"tcp://localhost:{capitalize.Port}", "hello"];
        Assert.Equal("HELLO\n", Succeeded(Doorbells.Run("native", "", arguments)));
    }

    [Theory]
    [InlineData("microsocks", "the connection was refused (SOCKS reply 5)")]
    [InlineData("ncat", "it answers 504")]
    [InlineData("tinyproxy", "it answers 500 Unable to connect")]
    public void What_a_proxy_refuses_is_told(string kind, string why)
    {
        using Program proxy = Start(kind, out string via);
        Ended ended = Doorbells.Run("native", "", "connect", "--via", via, "tcp://127.0.0.1:1");
        Assert.Equal(1, ended.ExitCode);
        Assert.StartsWith($"doorbell: connect tcp://127.0.0.1:1: the proxy {via} does not connect", ended.Error, StringComparison.Ordinal);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("microsocks with a password", "asks for a user name and a password", "")]
    [InlineData("microsocks with a password", "refuses the user name or the password", "anna:wrong@")]
    [InlineData("ncat with a password", "asks for a user name and a password (407)", "")]
    [InlineData("ncat with a password", "refuses the user name or the password (407)", "anna:wrong@")]
    public void A_password_that_is_missing_or_wrong_is_told(string kind, string why, string login)
    {
        using Program proxy = Start(kind, out string via);
        string wrong = via.Replace("anna:secret@", login, StringComparison.Ordinal);
        Ended ended = Doorbells.Run("native", "", "connect", "--via", wrong, "tcp://127.0.0.1:1");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a proxy connects to tcp:// endpoints alone", "connect", "--via", "socks5://h:1", "udp://127.0.0.1:1")]
    [InlineData("a proxy connects to tcp:// endpoints alone", "probe", "--via", "socks5://h:1", "unix:///x")]
    [InlineData("a proxy connects to tcp:// endpoints alone", "relay", "--via", "socks5://h:1", "tcp://127.0.0.1:0", "unix:///x")]
    [InlineData("--via: a proxy connects to tcp:// endpoints alone", "ask", "--via", "socks5://h:1", "coap://h/x", "text")]
    [InlineData("--via: a proxy is socks5://host:port or http://host:port", "ask", "--via", "h:1", "tcp://h:1", "text")]
    public void What_no_proxy_does_is_wrong_usage(string why, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }

    private static string Succeeded(Ended ended)
    {
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        return ended.Output;
    }

    /// <summary>A proxy of another's making on this machine.</summary>
    private static Program Start(string kind, out string via)
    {
        int port = Ports.Free("tcp");
        string number = port.ToString(CultureInfo.InvariantCulture);
        string tinyproxy = $"printf 'Port {port}\\nListen 127.0.0.1\\nTimeout 60\\n'";
        (string scheme, string login, string[] command) = kind switch
        {
            "microsocks" => ("socks5", "", ["microsocks", "-i", "127.0.0.1", "-p", number]),
            "microsocks with a password" =>
                ("socks5", "anna:secret@", ["microsocks", "-i", "127.0.0.1", "-p", number, "-u", "anna", "-P", "secret"]),
            "ncat" => ("http", "", ["ncat", "-l", "-k", "127.0.0.1", number, "--proxy-type", "http"]),
            "ncat with a password" => (
                "http", "anna:secret@",
                ["ncat", "-l", "-k", "127.0.0.1", number, "--proxy-type", "http", "--proxy-auth", "anna:secret"]),
            _ => ("http", "", (string[])["bash", "-c", $"exec tinyproxy -d -c <({tinyproxy})"]),
        };
        via = $"{scheme}://{login}127.0.0.1:{port}";
        Program proxy = Program.Start(command[0], command[1..]);
        Ports.WaitUntilServed("tcp", port);
        return proxy;
    }
}
