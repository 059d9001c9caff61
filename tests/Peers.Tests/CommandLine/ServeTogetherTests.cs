using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell serve echo ENDPOINT + time ENDPOINT</c>: several services in one process, each at its own endpoints.</summary>
public sealed class ServeTogetherTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Each_service_answers_at_its_own_endpoints(string kind)
    {
        using Program server = Doorbells.Start(
            kind, "serve", "echo", "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "+", "capitalize", "tcp://127.0.0.1:0");
        string[] echo = [Door(server, "serving echo on "), Door(server, "serving echo on ")];
        string capitalize = Door(server, "serving capitalize on ");
        Assert.Equal(
            $"reachable from this machine only; to open it to others: doorbell serve echo {Everywhere(echo[0])} {Everywhere(echo[1])} "
                + $"+ capitalize {Everywhere(capitalize)}",
            server.WaitForLine("reachable"));
        Assert.All(echo, door => Assert.Equal("FROM SERVER: hello\n", Doorbells.Run(kind, "", "ask", door, "hello").Output));
        Assert.Equal("FROM SERVER: HELLO\n", Doorbells.Run(kind, "", "ask", capitalize, "hello").Output);

        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("served 2 connections, 2 requests, 1 datagram", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Each_door_s_event_names_its_service(string kind)
    {
        using Program server = Doorbells.Start(
            kind, "serve", "echo", "tcp://127.0.0.1:0", "+", "time", "udp://127.0.0.1:0", "+", "echo", "coap://127.0.0.1:0", "--json");
        JsonElement[] doors = [.. Enumerable.Range(0, 3)
            .Select(_ => JsonDocument.Parse(server.WaitForLine("listening")).RootElement)];
        Assert.Equal(["echo", "time", "echo"], doors.Select(static door => door.GetProperty("service").GetString()));
        Assert.Equal(
            ["tcp", "udp", "coap"], doors.Select(static door => door.GetProperty("endpoint").GetString()!.Split(':')[0]));
        Assert.Equal("/echo", doors[2].GetProperty("resources").GetString());
        Assert.All(doors, static door => Assert.Equal("this-machine", door.GetProperty("reach").GetString()));
        server.Signal("TERM");
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("each service around a + has endpoints of its own", "echo", "+", "capitalize", "tcp://127.0.0.1:0")]
    [InlineData("each service around a + has endpoints of its own", "echo", "tcp://127.0.0.1:0", "+")]
    [InlineData("\"nosuch\" is no service", "echo", "tcp://127.0.0.1:0", "+", "nosuch", "tcp://127.0.0.1:0")]
    [InlineData("--ascii belongs to capitalize, not to echo", "--ascii", "tcp://127.0.0.1:0", "+", "echo", "tcp://127.0.0.1:0")]
    public void What_does_not_fit_together_is_said_in_a_line(string expected, params string[] words)
    {
        Ended ended = Doorbells.Run("native", "", ["serve", .. words]);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains(expected, ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
    }

    private static string Door(Program server, string containing) => server.WaitForLine(containing).Split(' ')[^1];

    private static string Everywhere(string door) => door.Replace("127.0.0.1", "*", StringComparison.Ordinal);
}
