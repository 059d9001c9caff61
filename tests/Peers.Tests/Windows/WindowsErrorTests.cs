using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>What the command can't do on Windows it refuses in one line, which says why, in Windows' own words.</summary>
public sealed class WindowsErrorTests
{
    public static TheoryData<int, string, string[]> Refusals => new()
    {
        { 2, "the model process needs Linux: use async here", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "process"] },
        { 2, "the model prefork needs Linux", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "prefork"] },
        { 2, "the model thread needs Linux", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "thread"] },
        { 2, "the model pool needs Linux", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "pool"] },
        { 2, "the model loop needs Linux", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "loop"] },
        { 2, "the model iterative needs Linux", ["serve", "echo", "tcp://127.0.0.1:0", "--model", "iterative"] },
        { 2, "the epoll engine needs Linux: leave out", ["serve", "echo", "tcp://127.0.0.1:0", "--engine", "epoll"] },
        { 2, "the io_uring engine needs Linux: leave out", ["serve", "echo", "tcp://127.0.0.1:0", "--engine", "io_uring"] },
        { 2, "is a program, and to give one a connection needs Linux", ["serve", "--exec", "cat", "tcp://127.0.0.1:0"] },
        { 2, "is a program, and to give one a connection needs Linux", ["serve", "--shell", "cat", "udp://127.0.0.1:0"] },
        { 1, "to share a port needs Linux; leave out --reuse-port", ["serve", "echo", "tcp://127.0.0.1:0", "--reuse-port"] },
        { 1, "this needs Linux; start the server without", ["serve", "echo", "tcp://127.0.0.1:0", "--takeover", "door"] },
        { 1, "passed sockets need Linux; give an address", ["serve", "echo", "fd://3"] },
        { 1, "Windows has unix:// since Windows 10", ["serve", "echo", "unix:///run/door"] },
        { 1, "unix+dgram:// not at all", ["serve", "echo", "unix+dgram:///run/door"] },
        { 1, "Windows has unix:// since Windows 10", ["ask", "unix:///run/door", "hello"] },
        { 1, "unix+dgram:// not at all", ["ask", "unix+dgram:///run/door", "hello"] },
        { 1, "Windows has unix:// since Windows 10", ["connect", "unix:///run/door"] },
        { 1, "demo nagle shows what Linux does", ["demo", "nagle"] },
        { 1, "which only Linux has", ["bench", "models"] },
        { 2, "`netsh interface show interface` lists them", ["serve", "echo", "udp://239.9.9.9%nosuch:6789"] },
        { 2, "is no command: give one of serve, ask", ["nosuch"] },
        { 2, "--nosuch is no option (doorbell serve --help", ["serve", "--nosuch"] },
        { 2, "--max-message", ["serve", "echo", "tcp://127.0.0.1:0", "--max-message", "x"] },
        { 2, "port", ["ask", "tcp://127.0.0.1", "hello"] },
        { 1, "connect tcp://127.0.0.1:1: WSAECONNREFUSED (Connection refused); nothing listens there", ["ask", "tcp://127.0.0.1:1", "a"] },
        { 1, "bind tcp://192.0.2.1:1: WSAEADDRNOTAVAIL (", ["serve", "echo", "tcp://192.0.2.1:1"] },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_refusal_is_one_line_that_says_why(int code, string part, string[] arguments)
    {
        Ended ended = Wine.Run("", arguments);
        Assert.Contains(part, ended.Error, StringComparison.Ordinal);
        Assert.Equal((code, "", 1), (ended.ExitCode, ended.Output, ended.Error.Count(static letter => letter == '\n')));
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_taken_is_found_with_what_Windows_has()
    {
        using Socket holder = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        Ended ended = Wine.Run("", "serve", "echo", $"tcp://{holder.LocalEndPoint}");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("WSAEADDRINUSE (Address already in use)", ended.Error, StringComparison.Ordinal);
        Assert.Contains("netstat -ano names it", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_calls_the_command_by_its_name()
    {
        Ended ended = Wine.Run("", "--help");
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Contains("Usage:\n  doorbell [command]", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_lists_what_Windows_knows_of_tcp_and_udp()
    {
        Ended ended = Wine.Run("", "options");
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Contains("tcp over ", ended.Output, StringComparison.Ordinal);
        Assert.Contains("udp over ", ended.Output, StringComparison.Ordinal);
    }
}
