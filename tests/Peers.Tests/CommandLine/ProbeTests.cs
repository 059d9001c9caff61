using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell probe</c> tells who serves and who does not, and its exit code says the same.</summary>
public sealed class ProbeTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    [InlineData("coap")]
    public void Who_serves_is_open_and_who_has_gone_is_closed(string scheme)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", $"{scheme}://127.0.0.1:0");
        using (server)
        {
            Assert.Equal((0, "open"), Probe($"{endpoint}"));

            // After SIGKILL the kernel may hold a ring's listener a moment longer than the process.
            server.Signal("TERM");
            server.WaitForEnd();
        }

        Assert.Equal((1, "closed"), Probe($"{endpoint}"));
    }

    [Fact]
    public void Unix_sockets_are_told_too()
    {
        using Scratch streams = new(".sock");
        using Scratch datagrams = new(".sock");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(streams.Path));
        using Socket bound = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        bound.Bind(new UnixDomainSocketEndPoint(datagrams.Path));
        Assert.Equal((1, "closed"), Probe($"unix://{streams.Path}"));
        listener.Listen();
        Assert.Equal((0, "open"), Probe($"unix://{streams.Path}"));
        Assert.Equal((0, "open"), Probe($"unix+dgram://{datagrams.Path}"));
        Assert.Equal((1, "closed"), Probe($"unix://{streams.Path}.nosuch"));
        Assert.Equal((1, "closed"), Probe($"unix+dgram://{streams.Path}.nosuch"));
        Assert.Equal((1, "failed"), Probe($"unix://{streams.Path}/nosuch"));
        Ended missing = Doorbells.Run("native", "", "probe", $"unix://{streams.Path}.nosuch");
        Assert.Contains("closed  ENOENT", missing.Output, StringComparison.Ordinal);
    }

    /// <summary>A full backlog lets a connection wait (listen(2)), as a filter does; so does a datagram that nobody answers.</summary>
    [Fact]
    public void What_does_not_answer_is_silent()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using Socket waits = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        waits.Connect(listener.LocalEndPoint!);
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal((1, "silent"), Probe($"tcp://{listener.LocalEndPoint}", "--timeout", "0.2"));
        Assert.Equal((1, "silent"), Probe($"udp://{bound.LocalEndPoint}", "--timeout", "0.2"));
    }

    [Fact]
    public void Of_several_all_have_to_be_open_and_of_a_range_one()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using (server)
        {
            int closed = Ports.Free("tcp");
            Assert.Equal(1, Doorbells.Run("native", "", "probe", $"{endpoint}", $"tcp://127.0.0.1:{closed}").ExitCode);
            int first = Math.Min(endpoint.Port, 65_400);
            Ended range = Doorbells.Run("native", "", "probe", $"tcp://127.0.0.1:{first}-{first + 135}");
            Assert.Equal(0, range.ExitCode);
            Assert.Contains($"{endpoint} ", range.Output, StringComparison.Ordinal);
            Assert.Contains($"tcp://127.0.0.1:{first}-{first + 135}: ", range.Output.Split('\n')[^2], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_range_is_waited_for_until_one_port_is_open_and_JSON_has_each()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using (server)
        {
            int first = Math.Min(endpoint.Port, 65_400);
            long began = System.Diagnostics.Stopwatch.GetTimestamp();
            Ended range = Doorbells.Run("native", "", "probe", "--json", "--wait", "1h", $"tcp://127.0.0.1:{first}-{first + 99}");
            Assert.Equal((0, 100), (range.ExitCode, range.Output.Count(static letter => letter == '\n')));
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1), "it waited for the others");
        }
    }

    /// <summary>More endpoints than are tried at once: the time to wait is for all of them together.</summary>
    [Fact]
    public void Waiting_for_many_takes_no_longer_than_for_one()
    {
        int closed = Ports.Free("tcp");
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        string[] endpoints = [.. Enumerable.Repeat($"tcp://127.0.0.1:{closed}", 1000)];
        Assert.Equal(1, Doorbells.Run("native", "", ["probe", "--wait", "2", .. endpoints]).ExitCode);
        TimeSpan took = System.Diagnostics.Stopwatch.GetElapsedTime(began);
        Assert.InRange(took, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("220 hello\r\nnext\r\n", "220 hello")]
    [InlineData("\u001b[31mred", "\\x1b[31mred")]
    [InlineData("", null)]
    public void A_greeting_is_shown_and_can_not_drive_the_terminal(string said, string? greeting)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program probe = Doorbells.Start("native", "probe", "--json", "--greeting", $"tcp://{listener.LocalEndPoint}");
        using Socket accepted = listener.Accept();
        accepted.Send(Encoding.UTF8.GetBytes(said));
        using JsonDocument result = JsonDocument.Parse(probe.WaitForEnd().Output);
        Assert.Equal(greeting, result.RootElement.GetProperty("greeting").GetString());
    }

    [Theory]
    [InlineData("tcp://*:80")]
    [InlineData("tcp://localhost:0")]
    [InlineData("tcp://localhost:9-7")]
    [InlineData("tcp://localhost:1-99999")]
    [InlineData("fd://3")]
    [InlineData("hello")]
    public void Words_that_are_no_place_to_connect_to_are_wrong_usage(string word)
    {
        Ended ended = Doorbells.Run("native", "", "probe", word);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static (int ExitCode, string? State) Probe(string endpoint, params string[] options)
    {
        Ended ended = Doorbells.Run("native", "", ["probe", "--json", endpoint, .. options]);
        using JsonDocument result = JsonDocument.Parse(ended.Output);
        Assert.Equal(endpoint, result.RootElement.GetProperty("endpoint").GetString());
        return (ended.ExitCode, result.RootElement.GetProperty("state").GetString());
    }
}
