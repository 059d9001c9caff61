using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell load</c> over datagrams: what gets lost is counted, and a late answer is given to no other question.</summary>
public sealed class LoadDatagramTests
{
    [Theory]
    [InlineData("udp", "--connections", "4", "--expect", "capitals", "--pipeline", "16", "--rate", "4000")]
    [InlineData("udp", "--connections", "20", "--rate", "2000")]
    [InlineData("udp", "--rate", "500", "--connections", "3", "--ramp", "100ms", "--expect", "capitals")]
    [InlineData("unix+dgram", "--connections", "2", "--expect", "capitals", "--rate", "2000")]
    [InlineData("coap", "--connections", "3", "--pipeline", "4", "--expect", "capitals")]
    [InlineData("coap", "--rate", "300", "--connections", "2")]
    [InlineData("coap", "--connections", "2", "--expect", "datagram")]
    public void Each_answer_is_compared_and_counted(string scheme, params string[] options)
    {
        using Scratch socket = new(".sock");
        string listen = scheme == "unix+dgram" ? $"unix+dgram://{socket.Path}" : $"{scheme}://127.0.0.1:0";
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", listen);
        using (server)
        {
            string target = scheme == "coap" ? $"coap://127.0.0.1:{endpoint.Port}/capitalize" : $"{endpoint}";
            JsonElement summary = Summary(Load([target, .. options, "--duration", "500ms", "--timeout", "5"]));
            Assert.True(summary.GetProperty("requests").GetInt64() > 0, $"{summary}");
            Assert.Empty(summary.GetProperty("errors").EnumerateObject());
            Assert.Equal(summary.GetProperty("bytesSent").GetInt64(), summary.GetProperty("bytesReceived").GetInt64());
        }
    }

    [Theory]
    [InlineData("--expect", "capitals", "--pipeline", "8")]
    [InlineData("--expect", "datagram")]
    public void What_gets_lost_is_counted(params string[] options)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "udp://127.0.0.1:0");
        using (server)
        using (Program impaired = Doorbells.Start("native", "impair", "udp://127.0.0.1:0", $"{endpoint}", "--loss", "20%", "--seed", "1"))
        {
            string line = impaired.WaitForLine("impairing ");
            Ended ended = Load(
                [line[(line.LastIndexOf(' ') + 1)..], "--connections", "8", "--timeout", "100ms", "--duration", "1", .. options]);
            Assert.True(ended.ExitCode == 0, $"{ended}");
            JsonElement summary = Summary(ended);
            Assert.Equal(["timeout"], summary.GetProperty("errors").EnumerateObject().Select(static error => error.Name));
            double lost = summary.GetProperty("errors").GetProperty("timeout").GetDouble();
            double all = lost + summary.GetProperty("requests").GetDouble();

            // Of a question and its answer 0.8 × 0.8 come through.
            Assert.InRange(lost / all, 0.2, 0.55);
        }
    }

    /// <summary>Each answer comes after its question was given up, when the next is under way.</summary>
    [Theory]
    [InlineData("late", "--expect", "echo")]
    [InlineData("late", "--expect", "echo", "--pipeline", "4")]
    [InlineData(null, "--expect", "datagram")]
    [InlineData(null, "hello", "--expect", "echo")]
    public void A_late_answer_is_no_other_questions(string? kind, params string[] options)
    {
        using Socket socket = Bind();
        using CancellationTokenSource over = new();
        Task server = AnswerLateAsync(socket, over.Token);
        Ended ended = Load([$"udp://{socket.LocalEndPoint}", "--timeout", "150ms", "--duration", "1500ms", .. options]);
        over.Cancel();
        JsonElement summary = Summary(ended);
        Assert.Equal(1, ended.ExitCode);
        Assert.Equal(0, summary.GetProperty("requests").GetInt64());
        string[] kinds = [.. summary.GetProperty("errors").EnumerateObject().Select(static error => error.Name).Order()];
        Assert.Equal(kind is null ? ["timeout"] : [kind, "timeout"], kinds);
    }

    [Fact]
    public async Task An_answer_that_comes_twice_counts_once()
    {
        using Socket socket = Bind();
        Task server = Task.Run(() =>
        {
            byte[] buffer = new byte[1000];
            EndPoint peer = new IPEndPoint(IPAddress.Any, 0);
            try
            {
                while (true)
                {
                    int count = socket.ReceiveFrom(buffer, ref peer);
                    socket.SendTo(buffer.AsSpan(0, count), SocketFlags.None, peer);
                    socket.SendTo(buffer.AsSpan(0, count), SocketFlags.None, peer);
                }
            }
            catch (SocketException)
            {
                // The test is over.
            }
        });
        Ended ended = Load([$"udp://{socket.LocalEndPoint}", "--expect", "echo", "--rate", "200", "--duration", "500ms"]);
        socket.Dispose();
        await server;
        JsonElement summary = Summary(ended);
        Assert.Equal(0, ended.ExitCode);
        Assert.InRange(summary.GetProperty("requests").GetInt64(), 50, 101);
        Assert.InRange(summary.GetProperty("errors").GetProperty("doubled").GetInt64(), 50, 101);
    }

    [Theory]
    [InlineData("udp://127.0.0.1:PORT")]
    [InlineData("coap://127.0.0.1:PORT/x")]
    public void Nobody_who_listens_is_told_at_once(string target)
    {
        Ended ended = Load([target.Replace("PORT", $"{Ports.Free("udp")}", StringComparison.Ordinal), "--duration", "1h"]);
        Assert.Equal(1, ended.ExitCode);
        Assert.DoesNotContain("summary", ended.Output, StringComparison.Ordinal);
        Assert.Contains("ECONNREFUSED", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_CoAP_answer_that_is_an_error_counts_by_its_code()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "coap://127.0.0.1:0");
        using (server)
        {
            Ended ended = Load([$"coap://127.0.0.1:{endpoint.Port}/nosuch", "--rate", "100", "--duration", "300ms"]);
            Assert.Equal(1, ended.ExitCode);
            Assert.True(Summary(ended).GetProperty("errors").GetProperty("4.04").GetInt64() > 10, ended.Output);
        }
    }

    [Theory]
    [InlineData("--pipeline", "--pipeline", "4")]
    [InlineData("--pipeline", "hello", "--pipeline", "4", "--expect", "echo")]
    [InlineData("--reconnect", "--reconnect")]
    [InlineData("--expect", "--expect", "line")]
    [InlineData("longer than a datagram", "--size", "70000")]
    public void Options_that_make_no_sense_are_refused(string why, params string[] options)
    {
        Ended ended = Doorbells.Run("native", "", ["load", "udp://127.0.0.1:1", .. options]);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("LoadOptions", ended.Error, StringComparison.Ordinal);
    }

    private static async Task AnswerLateAsync(Socket socket, CancellationToken over)
    {
        byte[] buffer = new byte[1000];
        try
        {
            while (true)
            {
                SocketReceiveFromResult came = await socket.ReceiveFromAsync(
                    buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), over);
                byte[] answer = buffer[..came.ReceivedBytes];
                _ = Task.Delay(220, over).ContinueWith(
                    _ => socket.SendToAsync(answer, SocketFlags.None, came.RemoteEndPoint), TaskContinuationOptions.OnlyOnRanToCompletion);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static Socket Bind()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static Ended Load(string[] arguments) => Doorbells.Run("native", "", ["load", .. arguments, "--json"]);

    private static JsonElement Summary(Ended ended) => ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(static line => JsonDocument.Parse(line).RootElement)
        .Single(static line => line.GetProperty("event").GetString() == "summary");
}
