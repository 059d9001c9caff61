using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>How an option is written, refused and explained.</summary>
public sealed class SettingTests
{
    [Theory]
    [InlineData("TCP_NODELAY=1", "TCP_NODELAY=1")]
    [InlineData("tcp_nodelay=off", "TCP_NODELAY=0")]
    [InlineData("SO_RCVBUF=1m", "SO_RCVBUF=1048576")]
    [InlineData("SO_SNDBUF=64K", "SO_SNDBUF=65536")]
    [InlineData("SO_LINGER=on,0", "SO_LINGER=on,0")]
    [InlineData("SO_LINGER=1,5", "SO_LINGER=on,5")]
    [InlineData("SO_LINGER=off", "SO_LINGER=off")]
    [InlineData("SO_RCVTIMEO=1.5", "SO_RCVTIMEO=1.5")]
    [InlineData("SO_SNDTIMEO=200ms", "SO_SNDTIMEO=0.2")]
    [InlineData("TCP_KEEPIDLE=2m", "TCP_KEEPIDLE=120")]
    [InlineData("SO_MARK=0xffffffff", "SO_MARK=4294967295")]
    [InlineData("SO_MAX_PACING_RATE=-1", "SO_MAX_PACING_RATE=-1")]
    [InlineData("TCP_CONGESTION=reno", "TCP_CONGESTION=reno")]
    [InlineData("SO_BINDTODEVICE=", "SO_BINDTODEVICE=")]
    [InlineData("IP_MULTICAST_IF=127.0.0.1", "IP_MULTICAST_IF=127.0.0.1")]
    public void A_setting_is_read_and_printed_in_one_form(string text, string printed) =>
        Assert.Equal(printed, SocketOptionSetting.Parse(text).ToString());

    [Fact]
    public void Typed_settings_are_those_that_are_written()
    {
        Assert.Equal("TCP_NODELAY=1", SocketOptionSetting.Of("TCP_NODELAY", true).ToString());
        Assert.Equal("SO_RCVBUF=4096", SocketOptionSetting.Of("SO_RCVBUF", 4096).ToString());
        Assert.Equal("SO_RCVTIMEO=0.25", SocketOptionSetting.Of("SO_RCVTIMEO", TimeSpan.FromMilliseconds(250)).ToString());
        Assert.Equal("TCP_KEEPIDLE=60", SocketOptionSetting.Of("TCP_KEEPIDLE", TimeSpan.FromMinutes(1)).ToString());
        Assert.Equal("TCP_CONGESTION=cubic", SocketOptionSetting.Of("TCP_CONGESTION", "cubic").ToString());
        Assert.Equal("SO_LINGER=on,0", SocketOptionSetting.Of(new LingerOption(true, 0)).ToString());
    }

    [Theory]
    [InlineData("TCP_NODLEAY=1", "\"TCP_NODLEAY\" is no socket option: did you mean TCP_NODELAY, ")]
    [InlineData("nodelay=1", "did you mean TCP_NODELAY, ")]
    [InlineData("SO_RECVBUF=1m", "did you mean SO_RCVBUF")]
    [InlineData("keepalive=1", "did you mean SO_KEEPALIVE")]
    [InlineData("", "\"\" is no socket option")]
    [InlineData("\u001b[31m=1", "is no socket option")]
    [InlineData("TCP_NODELAY", "the value of TCP_NODELAY is missing, as in TCP_NODELAY=1")]
    [InlineData("TCP_NODELAY=2", "TCP_NODELAY takes 0, 1, not \"2\": try TCP_NODELAY=1")]
    [InlineData("SO_RCVBUF=4g", "SO_RCVBUF takes 0 to 2147483647 bytes, not \"4g\": try SO_RCVBUF=64k")]
    [InlineData("SO_RCVBUF=99999999999999999999", "SO_RCVBUF takes")]
    [InlineData("SO_RCVBUF=9223372036854775807k", "SO_RCVBUF takes")]
    [InlineData("SO_RCVBUF=k", "SO_RCVBUF takes")]
    [InlineData("SO_RCVBUF=", "SO_RCVBUF takes")]
    [InlineData("SO_RCVBUF=-1", "SO_RCVBUF takes")]
    [InlineData("SO_LINGER=on", "SO_LINGER takes off, or on,0 to on,2147483647")]
    [InlineData("SO_LINGER=on,", "SO_LINGER takes")]
    [InlineData("SO_LINGER=on,-1", "SO_LINGER takes")]
    [InlineData("SO_LINGER=on,1,2", "SO_LINGER takes")]
    [InlineData("SO_RCVTIMEO=-1", "SO_RCVTIMEO takes")]
    [InlineData("SO_RCVTIMEO=99999999999m", "SO_RCVTIMEO takes")]
    [InlineData("TCP_KEEPIDLE=0.5", "TCP_KEEPIDLE takes 1 to 32767 seconds")]
    [InlineData("IP_MULTICAST_IF=::1", "IP_MULTICAST_IF takes an IPv4 address")]
    [InlineData("SO_BINDTODEVICE=averylonginterfacename", "SO_BINDTODEVICE takes an interface's name")]
    [InlineData("SO_ERROR=1", "SO_ERROR can only be read")]
    public void What_can_not_be_is_refused_in_one_line_that_helps(string text, string part)
    {
        Assert.False(SocketOptionSetting.TryParse(text, out _, out string? error));
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.DoesNotContain(error, static c => char.IsControl(c));
    }

    [Fact]
    public void A_buffer_that_is_doubled_and_one_that_is_clamped_are_explained()
    {
        using Socket socket = OptionSockets.New(SocketKinds.Udp4);
        Assert.Equal(
            "SO_RCVBUF is 20000 bytes (asked: 10000): the kernel doubles it for its own bookkeeping (socket(7))",
            SocketOptionSetting.Parse("SO_RCVBUF=10000").Apply(socket, "udp://localhost:1").ToString());
        long most = long.Parse(File.ReadAllText("/proc/sys/net/core/rmem_max"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.StartsWith(
            $"SO_RCVBUF is {2 * most} bytes (asked: 1073741824): net.core.rmem_max allows {most}, and the kernel doubles that",
            SocketOptionSetting.Parse("SO_RCVBUF=1g").Apply(socket, "udp://localhost:1").ToString(), StringComparison.Ordinal);
        Assert.Contains(
            "this is the least", SocketOptionSetting.Parse("SO_RCVBUF=1").Apply(socket, "udp://localhost:1").ToString(),
            StringComparison.Ordinal);
        Assert.Equal(
            "SO_BROADCAST is 1, as asked", SocketOptionSetting.Parse("SO_BROADCAST=1").Apply(socket, "udp://localhost:1").ToString());
    }

    [Fact]
    public void A_value_that_the_kernel_refuses_is_one_line_with_errno_and_advice()
    {
        using Socket socket = OptionSockets.New(SocketKinds.Tcp4);
        NetworkException refused = Assert.Throws<NetworkException>(
            () => SocketOptionSetting.Parse("TCP_CONGESTION=nonsense").Apply(socket, "tcp://localhost:1"));
        Assert.Equal(
            "setsockopt tcp://localhost:1: TCP_CONGESTION=nonsense: ENOENT (No such file or directory); it takes one of "
                + "net.ipv4.tcp_available_congestion_control",
            refused.Message);
        Assert.Equal("setsockopt", refused.Operation);
        refused = Assert.Throws<NetworkException>(() => SocketOptionSetting.Parse("IP_TTL=0").Apply(socket, "tcp://localhost:1"));
        Assert.Contains("IP_TTL=0: EINVAL (Invalid argument); it takes 1 to 255, or -1 hops", refused.Message, StringComparison.Ordinal);
    }
}
