using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>The command on Windows' calls, beside peers on Linux.</summary>
public sealed class WindowsTests
{
    private const int Patience = 60_000;

    [Theory]
    [InlineData("tcp"), InlineData("udp"), InlineData("coap")]
    public void What_serves_on_Windows_answers_who_asks_on_Linux_and_the_other_way_round(string scheme)
    {
        string path = scheme == "coap" ? "/capitalize" : "";
        string[] asked = scheme == "coap" ? ["hello"] : ["hello", "world"];
        string answers = scheme == "coap" ? "FROM SERVER: HELLO\n" : "FROM SERVER: HELLO WORLD\n";
        (Program onWindows, Endpoint windows) = Wine.Serve("capitalize", $"{scheme}://127.0.0.1:0");
        using (onWindows)
        {
            Assert.Equal(new Ended(0, answers, ""), Doorbells.Run("native", "", ["ask", windows + path, .. asked]));
        }

        (Program onLinux, Endpoint linux) = Doorbells.Serve("native", "capitalize", $"{scheme}://127.0.0.1:0");
        using (onLinux)
        {
            Assert.Equal(new Ended(0, answers, ""), Wine.Run("", ["ask", linux + path, .. asked]));
        }
    }

    [Fact]
    public void Ctrl_C_lets_a_server_finish_its_work_and_tell_what_it_did()
    {
        (Program server, Endpoint endpoint) = Wine.Serve("echo", "tcp://127.0.0.1:0");
        using (server)
        {
            using Socket client = Connect(endpoint);
            client.Send("half a li"u8);
            Assert.Equal("half a li", Encoding.ASCII.GetString(Impaired.Read(client, 9)));
            server.Signal("INT");
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(Impaired.ReadToEnd(client));
            Ended ended = server.WaitForEnd();
            Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
            Assert.Contains(
                "served 1 connection, 0 requests, 0 datagrams, 9 bytes in, 9 bytes out", ended.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Many_clients_at_once_each_get_their_own_bytes_back()
    {
        const int Clients = 200;
        (Program server, Endpoint endpoint) = Wine.Serve("echo", "tcp://127.0.0.1:0");
        using (server)
        {
            Socket[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Connect(endpoint))];
            byte[][] sent = [.. Enumerable.Range(0, Clients).Select(static seed => Noise(seed, 20_000))];
            for (int i = 0; i < Clients; i++)
            {
                clients[i].Send(sent[i]);
                clients[i].Shutdown(SocketShutdown.Send);
            }

            for (int i = 0; i < Clients; i++)
            {
                Assert.Equal(sent[i], Impaired.ReadToEnd(clients[i]));
                clients[i].Dispose();
            }
        }
    }

    /// <summary>Wine tells a reset as an end if no receive is under way: so clients reset until one is told as what it is.</summary>
    [Fact]
    public void A_client_that_resets_is_an_error_and_the_next_is_served()
    {
        (Program server, Endpoint endpoint) = Wine.Serve("echo", "tcp://127.0.0.1:0", "-v");
        using (server)
        {
            Waiting.Until(
                () =>
                {
                    using Socket rude = Connect(endpoint);
                    rude.Send("x"u8);
                    Assert.Single(Impaired.Read(rude, 1));
                    rude.LingerState = new LingerOption(true, 0);
                    return server.Error.Contains("ended: PeerReset", StringComparison.Ordinal);
                },
                "a reset is told");
            Assert.Equal("FROM SERVER: y\n", Doorbells.Run("native", "", "ask", $"{endpoint}", "y").Output);
            server.Signal("INT");
            Assert.Contains(" peer reset)", server.WaitForEnd().Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_largest_datagram_and_the_empty_one_are_answered()
    {
        (Program server, Endpoint endpoint) = Wine.Serve("echo", "udp://127.0.0.1:0");
        using (server)
        using (Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = Patience })
        {
            client.Connect(IPAddress.Loopback, endpoint.Port);
            foreach (int bytes in new[] { 65_507, 0, 1 })
            {
                client.Send(new byte[bytes]);
                Assert.Equal(bytes, client.Receive(new byte[70_000]));
            }
        }
    }

    [Fact]
    public void Connect_joins_pipes_to_a_connection_byte_for_byte()
    {
        const int Megabytes = 4;
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        using (Program joined = Wine.Start("connect", $"{endpoint}"))
        {
            byte[] line = Encoding.ASCII.GetBytes(new string('a', 1023) + "\n");
            for (int i = 0; i < Megabytes * 1024; i++)
            {
                joined.Input.Write(line);
            }

            joined.Input.Close();
            Ended ended = joined.WaitForEnd();
            Assert.Equal((0, "", Megabytes << 20), (ended.ExitCode, ended.Error, ended.Output.Length));
            Assert.DoesNotContain('a', ended.Output);
        }
    }

    [Fact]
    public void Who_connects_and_types_nothing_hears_the_peer_s_last_words_and_ends()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program joined = Wine.Start("connect", $"tcp://{listener.LocalEndPoint}");
        using Socket peer = listener.Accept();
        peer.Send("last words\n"u8);
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(new Ended(0, "last words\n", ""), joined.WaitForEnd());
    }

    [Theory]
    [InlineData("ask"), InlineData("connect")]
    public void Whose_reader_has_gone_ends_and_says_so(string verb)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using (server)
        {
            // The shell's own code is that of its last command, head; the command's is written to standard error.
            using Program shell = Wine.StartShell($"yes | (wine '{Doorbells.WindowsFile}' {verb} {endpoint}; echo code $? >&2) | head -1");
            Ended ended = shell.WaitForEnd();
            Assert.Contains("whoever read it has gone", ended.Error, StringComparison.Ordinal);
            Assert.Contains("code 1", ended.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Impair_loses_what_it_is_told_to_lose_and_carries_the_rest()
    {
        const int Questions = 40;
        (Program server, Endpoint upstream) = Doorbells.Serve("native", "echo", "udp://127.0.0.1:0");
        using (server)
        using (Program proxy = Wine.Start("impair", "udp://127.0.0.1:0", $"{upstream}", "--loss", "10%", "--seed", "1"))
        {
            string line = proxy.WaitForLine("impairing ").TrimEnd();
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 500 };
            client.Connect(IPAddress.Loopback, Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]).Port);
            int answered = Enumerable.Range(0, Questions).Count(number => IsAnswered(client, (byte)number));
            proxy.Signal("INT");
            Ended ended = proxy.WaitForEnd();
            answered += Enumerable.Range(0, Questions)
                .Count(_ => client.Poll(0, SelectMode.SelectRead) && client.Receive(new byte[1]) == 1);
            Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
            Assert.InRange(answered, Questions / 2, Questions - 1);
            Assert.Contains($"up: {Questions} datagrams received", ended.Output, StringComparison.Ordinal);
            string down = ended.Output.Split('\n').Single(static line => line.StartsWith("down: ", StringComparison.Ordinal));
            Assert.Contains($" {answered} forwarded", down, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Impair_and_relay_carry_a_stream_whole_between_peers_on_Linux()
    {
        (Program server, Endpoint upstream) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0");
        using (server)
        using (Program impaired = Wine.Start("impair", "tcp://127.0.0.1:0", $"{upstream}", "--delay", "5ms"))
        {
            string line = impaired.WaitForLine("impairing ").TrimEnd();
            using Program relay = Wine.Start("relay", "tcp://127.0.0.1:0", line[(line.LastIndexOf(' ') + 1)..]);
            string relaying = relay.WaitForLine("tcp://").TrimEnd();
            int from = relaying.IndexOf("tcp://", StringComparison.Ordinal);
            using Socket client = Connect(Endpoint.Parse(relaying[from..].Split(' ', ',')[0]));
            byte[] sent = Noise(7, 300_000);
            Task<int> sending = client.SendAsync(sent);
            Assert.Equal(sent, Impaired.Read(client, sent.Length));
            Assert.Equal(sent.Length, await sending);
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(Impaired.ReadToEnd(client));
        }
    }

    private static bool IsAnswered(Socket client, byte number)
    {
        client.Send([number]);
        client.Receive(new byte[1], SocketFlags.None, out SocketError error);
        return error == SocketError.Success;
    }

    private static Socket Connect(Endpoint endpoint)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Patience };
        client.Connect(IPAddress.Loopback, endpoint.Port);
        return client;
    }

    private static byte[] Noise(int seed, int bytes)
    {
        byte[] noise = new byte[bytes];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
