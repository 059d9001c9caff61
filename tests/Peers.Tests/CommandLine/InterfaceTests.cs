namespace Doorbell.Tests;

/// <summary><c>--interface</c> and <c>--ttl</c>, to groups and to others, over both families.</summary>
public sealed class InterfaceTests
{
    [Theory]
    [InlineData("udp://239.255.70.2:0", "udp://239.255.70.2%1:")]
    [InlineData("udp://[ff12::7002]:0", "udp://[ff12::7002%1]:")]
    [InlineData("coap://239.255.70.2:0", "coap://239.255.70.2%1:")]
    public void A_group_is_joined_and_asked_on_the_interface(string group, string shown)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", group, "--interface", "lo");
        using Program ends = server;
        Assert.StartsWith(shown, endpoint.ToString(), StringComparison.Ordinal);

        // The loopback interface has no route for groups of IPv6.
        if (group.StartsWith("udp://239", StringComparison.Ordinal))
        {
            string asked = $"{group[..^1]}{endpoint.Port}";
            Ended ended = Doorbells.Run("native", "", "ask", "--raw", "--interface", "lo", asked, "hello");
            Assert.Equal((0, "HELLO\n", ""), (ended.ExitCode, ended.Output, ended.Error));
        }
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0")]
    [InlineData("udp://127.0.0.1:0")]
    public void Another_server_is_bound_to_the_interface(string endpoint)
    {
        (Program server, Endpoint at) = Doorbells.Serve("native", "capitalize", endpoint, "--interface", "lo");
        using Program ends = server;
        Ended ended = Doorbells.Run("native", "", "ask", "--raw", at.ToString(), "hello");
        Assert.Equal((0, "HELLO\n"), (ended.ExitCode, ended.Output));
    }

    [Theory]
    [InlineData("UDP4-RECVFROM:PORT,ip-recvttl,bind=127.0.0.1", "$SOCAT_IP_TTL", "udp://127.0.0.1:PORT")]
    [InlineData("UDP6-RECVFROM:PORT,ipv6-recvhoplimit,bind=[::1]", "$SOCAT_IPV6_HOPLIMIT", "udp://[::1]:PORT")]
    public void A_datagram_has_the_ttl(string member, string variable, string endpoint)
    {
        string port = Ports.Free("udp").ToString(System.Globalization.CultureInfo.InvariantCulture);
        using Program listener = Program.Start(
            "socat", ["-u", member.Replace("PORT", port, StringComparison.Ordinal), $"SYSTEM:echo {variable}"]);
        Ports.WaitUntilServed("udp", int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
        string target = endpoint.Replace("PORT", port, StringComparison.Ordinal);
        Ended ended = Doorbells.Run("native", "x", "connect", "--wait", "0", "--ttl", "9", target);
        Assert.Equal("", ended.Error);
        Assert.Equal("9", listener.WaitForEnd().Output.Trim());
    }

    [Theory]
    [InlineData("--interface: ", "ask", "udp://239.255.70.2:9", "hello", "--interface", "nosuch0")]
    [InlineData("--interface: ", "serve", "echo", "udp://[ff12::7002]:0", "--interface", "nosuch0")]
    [InlineData("--interface takes", "serve", "echo", "tcp://127.0.0.1:0", "--interface", "")]
    [InlineData("--ttl has no effect on unix:///x", "connect", "unix:///x", "--ttl", "3")]
    [InlineData("1 to 255", "connect", "udp://127.0.0.1:9", "--ttl", "0")]
    [InlineData("255", "connect", "udp://127.0.0.1:9", "--ttl", "256")]
    public void What_can_t_be_is_wrong_usage(string why, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
    }
}
