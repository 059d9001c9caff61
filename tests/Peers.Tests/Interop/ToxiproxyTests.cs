using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary>
/// <c>doorbell impair --toxiproxy-api</c> with clients in three languages: toxiproxy's own for Node, from the npm registry, and programs in
/// Python and Java that call the API as its README describes it.
/// </summary>
public sealed class ToxiproxyTests
{
    private const string NodeClient = "toxiproxy-node-client@4.1.0";

    /// <summary>What each of the three programs does and sees.</summary>
    private const string Transcript = """
        version {"version":"2.12.0"}
        created demo true true
        asked HELLO
        toxic latency_downstream latency downstream 1 200
        late HELLO true
        later HELLO true 400
        well HELLO
        limited HEL and the end
        toxicity 0 HEL and the end
        reset HELLO
        reset_peer ECONNRESET
        down ECONNREFUSED
        up HELLO
        all demo other
        left demo
        missing true

        """;

    [Theory]
    [InlineData("node")]
    [InlineData("python")]
    [InlineData("java")]
    public void Its_clients_rule_the_proxies(string language)
    {
        (Program server, Endpoint upstream) = Doorbells.Serve("native", "tcp://127.0.0.1:0");
        using (server)
        {
            using Program api = Start(out string address);
            string target = $"127.0.0.1:{upstream.Port}";
            Ended ended = language switch
            {
                "node" => Program.Run("node", [Path.Combine(Repository.Peers, "node", "toxiproxy.js"), NodeFolder(), address, target]),
                "python" => Program.Run("python3", [Path.Combine(Repository.Peers, "python", "toxiproxy.py"), address, target]),
                _ => Textbook.Java("ToxiproxyClient", address, target),
            };
            Assert.Equal((0, "", Transcript), (ended.ExitCode, ended.Error, ended.Output));
            api.Signal("TERM");
            Assert.Equal((0, ""), (api.WaitForEnd() is var end ? end.ExitCode : -1, end.Error));
        }
    }

    [Theory]
    [InlineData("GET /proxies/none", "", 404, "proxy not found")]
    [InlineData("GET /proxies/demo/toxics/none", "", 404, "toxic not found")]
    [InlineData("DELETE /proxies/demo/toxics/none", "", 404, "toxic not found")]
    [InlineData("GET /nosuch", "", 404, "page not found")]
    [InlineData("PUT /proxies", "", 405, "method not allowed")]
    [InlineData("POST /proxies", "{", 400, "bad request body: it is no JSON, or nested too deeply, at line 1")]
    [InlineData("POST /proxies", "{\n\"name\":,", 400, "bad request body: it is no JSON, or nested too deeply, at line 2")]
    [InlineData("POST /proxies", "{\"name\":\"a/b\",\"upstream\":\"127.0.0.1:1\"}", 400, "bad request body: a name stands in paths")]
    [InlineData("POST /proxies", "{\"name\":\"..\",\"upstream\":\"127.0.0.1:1\"}", 400, "bad request body: a name stands in paths")]
    [InlineData("POST /proxies/demo/toxics", "{\"type\":\"latency\",\"name\":\"a/b\"}", 400, "bad request body: a name stands in paths")]
    [InlineData("POST /proxies", "[]", 400, "bad request body: it is no JSON object")]
    [InlineData("POST /proxies", "{\"upstream\":\"127.0.0.1:1\"}", 400, "missing required field: name")]
    [InlineData("POST /proxies", "{\"name\":\"a\"}", 400, "missing required field: upstream")]
    [InlineData("POST /proxies", "{\"name\":\"a\",\"upstream\":7}", 400, "bad request body: upstream is a string")]
    [InlineData("POST /proxies", "{\"name\":\"a\",\"upstream\":\"127.0.0.1:x\"}", 400, "bad request body: upstream: ")]
    [InlineData(
        "POST /proxies", "{\"name\":\"a\",\"upstream\":\"udp://127.0.0.1:1\"}", 400,
        "bad request body: upstream is an address of TCP")]
    [InlineData("POST /proxies", "{\"name\":\"demo\",\"upstream\":\"127.0.0.1:1\"}", 409, "proxy already exists")]
    [InlineData("POST /proxies/demo/toxics", "{\"type\":\"fire\"}", 400, "invalid toxic type")]
    [InlineData("POST /proxies/demo/toxics", "{\"type\":\"latency\",\"stream\":\"up\"}", 400, "stream was invalid, can be either")]
    [InlineData(
        "POST /proxies/demo/toxics", "{\"type\":\"latency\",\"toxicity\":1.5}", 400,
        "bad request body: toxicity is a number from 0 to 1")]
    [InlineData(
        "POST /proxies/demo/toxics", "{\"type\":\"latency\",\"attributes\":{\"latency\":-1}}", 400,
        "bad request body: latency is a")]
    [InlineData(
        "POST /proxies/demo/toxics", "{\"type\":\"latency\",\"attributes\":{\"latency\":\"1\"}}", 400,
        "bad request body: latency is a")]
    [InlineData("POST /proxies/demo/toxics", "{\"type\":\"slicer\"}", 400, "bad request body: average_size is 1 at least")]
    [InlineData(
        "POST /populate", "[{\"name\":\"a\",\"upstream\":\"127.0.0.1:1\"},{\"name\":\"b\"}]", 400,
        "missing required field: upstream at proxy 2")]
    public void A_request_that_makes_no_sense_is_refused_and_changes_nothing(string request, string body, int status, string error)
    {
        using Program api = Start(out string address);
        Say(address, "POST /proxies", "{\"name\":\"demo\",\"upstream\":\"127.0.0.1:1\"}");
        string before = Say(address, "GET /proxies", "").Body;
        (int Status, string Body) answered = Say(address, request, body);
        using JsonDocument answer = JsonDocument.Parse(answered.Body);
        Assert.Equal((status, status), (answered.Status, answer.RootElement.GetProperty("status").GetInt32()));
        Assert.StartsWith(error, answer.RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, Say(address, "GET /proxies", "").Body);
    }

    [Theory]
    [InlineData(200, "Host: localhost")]
    [InlineData(200, "Host: 127.0.0.1:8474")]
    [InlineData(200, "Host: [::1]:8474")]
    [InlineData(403, "Host: attacker.example")]
    [InlineData(403, "Host: localhost.attacker.example:8474")]
    [InlineData(200, "Host: localhost.")]
    [InlineData(200, "Host: LOCALHOST.:8474")]
    [InlineData(403, "Host: 2130706433")]
    [InlineData(403, "Host: 0x7f.1:8474")]
    [InlineData(403, "Host: 1")]
    [InlineData(403, "Host: localhost.attacker.example.")]
    [InlineData(403, "Host: attacker.example@127.0.0.1")]
    [InlineData(403, "Host: ")]
    [InlineData(403, "Host: localhost\r\nUser-Agent: Mozilla/5.0 (X11)")]
    [InlineData(403, "Host: localhost\r\nOrigin: http://attacker.example")]
    [InlineData(400, "Host: localhost\r\nHost: attacker.example")]
    [InlineData(400, "no header")]
    [InlineData(400, "Content-Length: -1")]
    [InlineData(411, "Transfer-Encoding: chunked")]
    [InlineData(413, "Content-Length: 1048577")]
    [InlineData(413, "Content-Length: 99999999999")]
    public void A_browser_s_page_and_what_is_no_request_are_refused(int status, string headers)
    {
        using Program api = Start(out string address);
        string answer = Raw(address, $"GET /version HTTP/1.1\r\n{headers}\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal(status == 200, answer.Contains("2.12.0", StringComparison.Ordinal));
    }

    [Fact]
    public void A_connection_carries_many_requests_in_whatever_pieces_they_come()
    {
        using Program api = Start(out string address);
        const string Body = "{\"name\":\"demo\",\"upstream\":\"127.0.0.1:1\"}";
        string all = $"POST /proxies HTTP/1.1\r\nHost: localhost\r\ncontent-length: {Body.Length}\r\n\r\n{Body}"
            + "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\nDELETE /proxies/demo HTTP/1.1\r\nHost: localhost\r\n\r\n"
            + "GET /proxies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        string whole = Raw(address, all, piece: all.Length);
        Assert.Equal(4, whole.Split("HTTP/1.1 ").Length - 1);
        Assert.EndsWith("{}", whole, StringComparison.Ordinal);
        Assert.Equal(Ports(whole), Ports(Raw(address, all, piece: 1)));
        Assert.StartsWith("HTTP/1.1 431 ", Raw(address, "GET / HTTP/1.1\r\n" + new string('a', 20_000)), StringComparison.Ordinal);

        static string Ports(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"127\.0\.0\.1:\d+", "");
    }

    /// <summary>As a person types a request, and as curl sends a body that is long.</summary>
    [Fact]
    public void Lines_may_end_in_LF_and_a_client_may_wait_for_100_Continue()
    {
        using Program api = Start(out string address);
        string typed = Raw(address, "GET /version HTTP/1.1\nHost: localhost\nConnection: close\n\n");
        Assert.StartsWith("HTTP/1.1 200 ", typed, StringComparison.Ordinal);
        Ended curl = Program.Run(
            "curl", ["-sS", "-H", "Expect: 100-continue", "--expect100-timeout", "30", "-d",
                "{\"name\":\"demo\",\"upstream\":\"127.0.0.1:1\"}", "-w", " %{http_code} %{time_total}", $"{address}/proxies"]);
        Assert.Equal((0, ""), (curl.ExitCode, curl.Error));
        string[] words = curl.Output.Split(' ');
        Assert.Equal("201", words[^2]);
        Assert.True(double.Parse(words[^1], System.Globalization.CultureInfo.InvariantCulture) < 15, curl.Output);
    }

    [Fact]
    public void Each_toxic_is_the_fault_that_it_is_called()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program api = Start(out string address);
        using JsonDocument proxy = JsonDocument.Parse(
            Say(address, "POST /proxies", $"{{\"name\":\"demo\",\"upstream\":\"{listener.LocalEndPoint}\"}}").Body);
        int port = IPEndPoint.Parse(proxy.RootElement.GetProperty("listen").GetString()!).Port;

        // timeout: nothing passes, and the connection is closed.
        With("timeout", "{\"timeout\":300}", (client, upstream) =>
        {
            client.Send("lost"u8);
            Assert.Empty(Impaired.ReadToEnd(upstream));
            Assert.Empty(Impaired.ReadToEnd(client));
        });
        With("timeout", "{\"timeout\":0}", static (client, upstream) =>
        {
            client.Send("held"u8);
            Assert.False(Impaired.Hears(upstream));
            Assert.False(Impaired.Hears(client));
        });
        With("slow_close", "{\"delay\":300}", static (client, upstream) =>
        {
            client.Send("a"u8);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal("a"u8, Impaired.Read(upstream, 1));
            Assert.False(Impaired.Hears(upstream));
            Assert.Empty(Impaired.ReadToEnd(upstream));
        });
        With("slicer", "{\"average_size\":2,\"size_variation\":1,\"delay\":5000}", static (client, upstream) =>
        {
            client.Send("abcdef"u8);
            Assert.InRange(upstream.Receive(new byte[10]), 1, 3);
        });
        With("bandwidth", "{\"rate\":10}", static (client, upstream) =>
        {
            long began = System.Diagnostics.Stopwatch.GetTimestamp();
            client.Send(new byte[5000]);
            Impaired.Read(upstream, 5000);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds >= 499);
        });

        void With(string type, string attributes, Action<Socket, Socket> act)
        {
            string toxic = $"{{\"type\":\"{type}\",\"stream\":\"upstream\",\"attributes\":{attributes}}}";
            Assert.Equal(200, Say(address, "POST /proxies/demo/toxics", toxic).Status);
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
            client.Connect(IPAddress.Loopback, port);
            using Socket upstream = listener.Accept();
            upstream.ReceiveTimeout = 20_000;
            act(client, upstream);
            Assert.Equal(204, Say(address, $"DELETE /proxies/demo/toxics/{type}_upstream", "").Status);
        }
    }

    [Theory]
    [InlineData("--toxiproxy-api", "--delay", "5ms", "leave out --delay")]
    [InlineData("tcp://127.0.0.1:0", "tcp://127.0.0.1:1", "--toxiproxy-api", "leave out LISTEN")]
    [InlineData("--toxiproxy-api", "udp://127.0.0.1:0", "--json", "--toxiproxy-api takes a stream's endpoint")]
    public void With_it_the_clients_alone_say_what_is_impaired(string first, string second, string third, string says)
    {
        Ended ended = Doorbells.Run("native", "", "impair", first, second, third);
        Assert.Equal((2, 1), (ended.ExitCode, ended.Error.Count(static c => c == '\n')));
        Assert.Contains(says, ended.Error, StringComparison.Ordinal);
    }

    private static Program Start(out string address)
    {
        Program api = Doorbells.Start("native", "impair", "--toxiproxy-api", "tcp://127.0.0.1:0");
        string line = api.WaitForLine("serving toxiproxy's API");
        address = $"http://127.0.0.1:{Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]).Port}";
        return api;
    }

    private static (int Status, string Body) Say(string address, string request, string body)
    {
        string answer = Raw(
            address, $"{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        int status = int.Parse(answer[9..12], System.Globalization.CultureInfo.InvariantCulture);
        return (status, answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    private static string Raw(string address, string request, int piece = 1000)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true, ReceiveTimeout = 20_000,
        };
        socket.Connect(IPAddress.Loopback, new Uri(address).Port);
        foreach (char[] part in request.Chunk(piece))
        {
            socket.Send(Encoding.Latin1.GetBytes(part));
        }

        socket.Shutdown(SocketShutdown.Send);
        return Encoding.UTF8.GetString(Impaired.ReadToEnd(socket));
    }

    /// <summary>Where the client for Node is, installed once.</summary>
    private static string NodeFolder()
    {
        string folder = Path.Combine(Repository.Root, "artifacts", "toxiproxy-node-client");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "toxiproxy-node-client")))
        {
            Directory.CreateDirectory(folder);
            Ended installed = Program.Run("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder, NodeClient]);
            Assert.True(installed.ExitCode == 0, installed.Error);
        }

        return folder;
    }
}
