namespace Doorbell.Tests;

/// <summary>A port that is given by its service's name, as services(5) lists it.</summary>
public sealed class ServicePortTests
{
    [Theory]
    [InlineData("ask", "tcp://localhost:wnn6", "hello")]
    [InlineData("connect", "localhost", "wnn6")]
    [InlineData("connect", "localhost:wnn6")]
    [InlineData("probe", "tcp://127.0.0.1:wnn6/")]
    [InlineData("probe", "[::1]:wnn6")]
    public void A_name_is_a_port(params string[] arguments)
    {
        // Nobody serves 22273, wnn6, below the ports that the kernel gives out.
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(":22273", ended.Error + ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alias_is_a_name_too()
    {
        Ended ended = Doorbells.Run("native", "", "probe", "tcp://127.0.0.9:www");
        Assert.Contains("tcp://127.0.0.9:80", ended.Error + ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_is_at_a_name()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:rmtcfg");
        server.Dispose();
        Assert.Equal(1236, endpoint.Port);
    }

    [Theory]
    [InlineData("\"htp\" is no port: it is neither a number from 0 to 65535 nor a tcp service that /etc/services", "tcp://localhost:htp")]
    [InlineData("do you mean https?", "tcp://localhost:htps")]
    [InlineData("/etc/services lists it as 80/tcp, not for udp", "udp://localhost:http")]
    [InlineData("not for tcp", "localhost:tftp")]
    [InlineData("no port", "coap://localhost:x")]
    [InlineData("is no host", "tcp://a_b-:http")]
    public void A_wrong_name_is_told(string why, string endpoint)
    {
        Ended ended = Doorbells.Run("native", "", "probe", endpoint);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("unix:x")]
    [InlineData("unix:a:http")]
    [InlineData("fd://http")]
    public void What_is_no_host_keeps_its_colons(string endpoint)
    {
        Ended ended = Doorbells.Run("native", "", "probe", endpoint);
        Assert.DoesNotContain("no port", ended.Error, StringComparison.Ordinal);
    }
}
