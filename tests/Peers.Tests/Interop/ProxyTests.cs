namespace Doorbell.Tests;

/// <summary>curl and ncat through the proxies that <c>serve</c> has.</summary>
public sealed class ProxyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-proxy-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("socks", "--socks5-hostname")]
    [InlineData("socks", "--socks5")]
    [InlineData("socks", "--socks4")]
    [InlineData("socks", "--socks4a")]
    [InlineData("http-proxy", "--proxytunnel --proxy")]
    public void Curl_fetches_through_it(string service, string option)
    {
        (Program proxy, Endpoint at) = Doorbells.Serve("native", service, "tcp://127.0.0.1:0");
        using Program ends = proxy;
        (Program web, int port) = Web();
        using Program webEnds = web;
        Assert.Equal((0, "from the web\n"), Curl($"{option} 127.0.0.1:{at.Port} http://localhost:{port}/"));
    }

    [Theory]
    [InlineData("socks", "--socks5-hostname")]
    [InlineData("http-proxy", "--proxytunnel --proxy")]
    public void Curl_says_that_it_may_not_go_there_and_gives_a_password_where_one_is_asked(string service, string option)
    {
        (Program web, int port) = Web();
        using Program webEnds = web;
        (Program strict, Endpoint at) = Doorbells.Serve("native", service, "tcp://127.0.0.1:0", "--allow-target", "public");
        using Program strictEnds = strict;
        (int code, string output) = Curl($"{option} 127.0.0.1:{at.Port} http://localhost:{port}/");
        Assert.Equal((true, ""), (code is 56 or 97, output));
        string users = Path.Combine(_folder.FullName, "users");
        File.WriteAllText(users, "bob:\nanna:sesame\n");
        (Program asks, Endpoint asksAt) = Doorbells.Serve("native", service, "tcp://127.0.0.1:0", "--users", users);
        using Program asksEnds = asks;
        Assert.Equal(
            (0, "from the web\n"), Curl($"--proxy-user anna:sesame {option} 127.0.0.1:{asksAt.Port} http://localhost:{port}/"));
        Assert.NotEqual(0, Curl($"--proxy-user anna:wrong {option} 127.0.0.1:{asksAt.Port} http://localhost:{port}/").Code);
    }

    [Theory]
    [InlineData("socks", "socks5")]
    [InlineData("socks", "socks4")]
    [InlineData("http-proxy", "http")]
    public void Ncat_asks_through_it(string service, string type)
    {
        (Program proxy, Endpoint at) = Doorbells.Serve("native", service, "tcp://127.0.0.1:0");
        using Program ends = proxy;
        (Program server, Endpoint capitalize) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program serverEnds = server;
        Assert.Equal(
            (0, "HELLO\n"), Shell($"echo hello | ncat --proxy 127.0.0.1:{at.Port} --proxy-type {type} 127.0.0.1 {capitalize.Port}"));
    }

    [Theory]
    [InlineData("thread")]
    [InlineData("async")]
    [InlineData("process")]
    [InlineData("prefork")]
    public void Every_model_carries_it(string model)
    {
        (Program proxy, Endpoint at) = Doorbells.Serve("native", "socks", "tcp://127.0.0.1:0", "--model", model);
        using Program ends = proxy;
        (Program web, int port) = Web();
        using Program webEnds = web;
        Assert.Equal((0, "from the web\n"), Curl($"--socks5-hostname 127.0.0.1:{at.Port} http://localhost:{port}/"));
    }

    [Theory]
    [InlineData("serve echo tcp://localhost:0 --allow-target public", "belong to the services socks and http-proxy")]
    [InlineData("serve socks tcp://localhost:0 --allow-target example.org", "example.org")]
    [InlineData("serve socks tcp://localhost:0 --users /no/such/file", "/no/such/file")]
    public void Wrong_usage_is_one_line_and_exit_code_2(string arguments, string says)
    {
        using Program command = Doorbells.Start("native", arguments.Split(' '));
        Ended ended = command.WaitForEnd();
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.TrimEnd().Split('\n'));
    }

    private static (Program Server, int Port) Web()
    {
        (Program server, Endpoint at) = Doorbells.Serve(
            "native", "--shell", "head -n 1 >/dev/null; printf 'HTTP/1.0 200 OK\\r\\nContent-Length: 13\\r\\n\\r\\nfrom the web\\n'",
            "tcp://127.0.0.1:0");
        return (server, at.Port);
    }

    private static (int Code, string Output) Curl(string arguments) => Shell($"curl --silent --max-time 30 {arguments}");

    private static (int Code, string Output) Shell(string command)
    {
        using Program shell = Program.Start("sh", "-c", command);
        Ended ended = shell.WaitForEnd();
        return (ended.ExitCode, ended.Output);
    }
}
