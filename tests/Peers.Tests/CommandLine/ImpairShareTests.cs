using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>Faults of <c>doorbell impair</c> that some connections have, that begin late, or that end.</summary>
public sealed class ImpairShareTests
{
    [Fact]
    public void A_share_of_the_connections_has_the_faults_and_the_seed_says_which()
    {
        const int Connections = 20;
        using Impaired through = new("native", "--close-after", "off/0", "--share", "50%", "--seed", "3");
        List<bool> hit = [IsClosed(through.Client)];
        for (int i = 1; i < Connections; i++)
        {
            (Socket client, Socket upstream) = through.Connect();
            using (client)
            using (upstream)
            {
                hit.Add(IsClosed(client));
            }
        }

        Assert.Equal(Enumerable.Range(0, Connections).Select(static number => LinkChance.Of(3, number) < 0.5), hit);
        JsonElement summary = through.End();
        Assert.Equal(hit.Count(static closed => closed), summary.GetProperty("closedAsAsked").GetInt32());

        static bool IsClosed(Socket client) => Impaired.Hears(client) && client.Receive(new byte[1]) == 0;
    }

    [Fact]
    public void A_share_of_the_clients_loses_datagrams()
    {
        const int Clients = 20;
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Program proxy = Doorbells.Start(
            "native", "impair", "udp://127.0.0.1:0", $"udp://{server.LocalEndPoint}", "--loss", "100%", "--share", "40%", "--seed", "5",
            "--json");
        using JsonDocument listening = JsonDocument.Parse(proxy.WaitForLine("\"listening\""));
        int port = Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!).Port;
        List<Socket> clients = [];
        for (int i = 0; i < Clients; i++)
        {
            clients.Add(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            clients[i].Connect(IPAddress.Loopback, port);
            clients[i].Send([(byte)i]);
        }

        int[] spared = [.. Enumerable.Range(0, Clients).Where(static number => LinkChance.Of(5, number) >= 0.4)];
        byte[] one = new byte[10];
        Assert.All(spared, number => Assert.Equal((1, (byte)number), (server.Receive(one), one[0])));
        Assert.False(Impaired.Hears(server));
        clients.ForEach(static client => client.Dispose());
        proxy.Signal("TERM");
        using JsonDocument summary = JsonDocument.Parse(proxy.WaitForEnd().Output.TrimEnd().Split('\n')[^1]);
        JsonElement up = summary.RootElement.GetProperty("up");
        Assert.Equal((Clients, spared.Length), (up.GetProperty("received").GetInt32(), up.GetProperty("forwarded").GetInt32()));
    }

    [Theory]
    [InlineData("5/off", 0)]
    [InlineData("5,500ms/off", 500)]
    public void Both_peers_are_told_an_end_behind_so_many_bytes(string closeAfter, int atLeast)
    {
        using Impaired through = new("native", "--close-after", closeAfter);
        through.Upstream.Send("answer"u8);
        Assert.Equal("answer"u8, Impaired.Read(through.Client, 6));
        long began = Stopwatch.GetTimestamp();
        through.Client.Send("01234567"u8);
        Assert.Equal("01234"u8, Impaired.ReadToEnd(through.Upstream));
        Assert.Empty(Impaired.ReadToEnd(through.Client));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(atLeast), $"{Stopwatch.GetElapsedTime(began)}");
        Assert.Equal((1, 0), Ends(through.End(), "closedAsAsked"));
    }

    [Fact]
    public void A_reset_may_come_later_than_the_bytes_and_not_at_all_if_it_is_taken_back()
    {
        using Impaired through = new("native", "--reset-after", "0,700ms");
        Assert.False(Impaired.Hears(through.Client));
        Assert.Throws<SocketException>(() => Impaired.ReadToEnd(through.Client));
        (Socket client, Socket upstream) = through.Connect();
        using (client)
        using (upstream)
        {
            client.Send("abc"u8);
            Assert.Equal("ok", through.Say("reset-after off"));
            Assert.Equal("abc"u8, Impaired.Read(upstream, 3));
        }
    }

    [Fact]
    public void Pieces_differ_and_add_up()
    {
        using Impaired through = new("native", "--slice", "10,2ms,8", "--seed", "1");
        byte[] sent = [.. Enumerable.Range(0, 200).Select(static i => (byte)i)];
        through.Client.Send(sent);
        List<byte> came = [];
        HashSet<int> sizes = [];
        byte[] buffer = new byte[1000];
        while (came.Count < sent.Length)
        {
            int count = through.Upstream.Receive(buffer);
            sizes.Add(count);
            came.AddRange(buffer[..count]);
        }

        Assert.Equal(sent, came);
        Assert.True(sizes.Count > 3, string.Join(' ', sizes));
    }

    [Fact]
    public void A_scenario_is_played_from_the_start_on()
    {
        string file = Path.Combine(Path.GetTempPath(), $"doorbell-scenario-{Guid.NewGuid():N}");
        File.WriteAllText(file, "at 0s stall 0/off for 1s   # nothing goes up\nat 1500ms reset-after 0\n");
        try
        {
            long began = Stopwatch.GetTimestamp();
            using Impaired through = new("native", "--scenario", file);
            through.Client.Send("late"u8);
            Assert.Equal("late"u8, Impaired.Read(through.Upstream, 4));
            Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(1000), $"{Stopwatch.GetElapsedTime(began)}");
            Assert.Throws<SocketException>(() => Impaired.ReadToEnd(through.Client));
            Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(1500), $"{Stopwatch.GetElapsedTime(began)}");
            Assert.Equal((1, 0), Ends(through.End(), "resetAsAsked"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void The_control_socket_takes_times()
    {
        using Impaired through = new("native");
        Assert.Equal("ok", through.Say("stall 0 for 300ms"));
        Assert.Equal("stall 0", through.Say("show"));
        Assert.Equal("ok", through.Say("at 200ms slow-close 1s"));
        through.Client.Send("late"u8);
        Assert.Equal("late"u8, Impaired.Read(through.Upstream, 4));
        Assert.Equal("slow-close 1000ms", through.Say("show"));
        Assert.StartsWith("error: loss is for datagrams", through.Say("at 1h loss 1%"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_that_makes_no_sense_is_wrong_usage()
    {
        string file = Path.Combine(Path.GetTempPath(), $"doorbell-scenario-{Guid.NewGuid():N}");
        File.WriteAllText(file, "at 5s loss 20% for 10s\nat 20s speed 5\n");
        try
        {
            Ended wrong = Doorbells.Run("native", "", "impair", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--scenario", file);
            Assert.Equal(2, wrong.ExitCode);
            Assert.StartsWith($"doorbell: {file}:2: \"speed\" is no setting", wrong.Error, StringComparison.Ordinal);
            Ended none = Doorbells.Run("native", "", "impair", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--scenario", file + ".none");
            Assert.Equal((2, 1), (none.ExitCode, none.Error.Count(static c => c == '\n')));
            Assert.Contains("ENOENT (No such file or directory); give the path of a scenario", none.Error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static (int Count, int Reset) Ends(JsonElement summary, string name) =>
        (summary.GetProperty(name).GetInt32(), summary.GetProperty("reset").GetInt32());
}
