using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>The memory of a server whose clients never read what they asked for.</summary>
public sealed class MemoryTests
{
    private const int Clients = 800;
    private const long Megabyte = 1024 * 1024;

    private readonly byte[] _question = new byte[256 * 1024];

    [Fact]
    public void Memory_goes_back_to_the_system_when_a_crowd_has_left()
    {
        (Program server, Endpoint endpoint) = Serve();
        using (server)
        {
            long before = Resident(server);
            List<Socket> crowd = Crowd(endpoint);
            AskUntil(crowd, () => Resident(server) - before > 48 * Megabyte);
            long peak = Resident(server);
            crowd.ForEach(static client => client.Dispose());
            Waiting.Until(() => Resident(server) - before < (peak - before) / 3, "the memory is the system's again");
        }
    }

    [Fact]
    public void The_greediest_are_reset_when_all_hold_more_than_they_may()
    {
        (Program server, Endpoint endpoint) = Serve("--max-buffered", "8m");
        using (server)
        {
            Assert.Contains("at most 8m of memory", server.WaitForLine("of memory"), StringComparison.Ordinal);
            List<Socket> crowd = Crowd(endpoint);
            AskUntil(crowd, () => server.Error.Contains("than --max-buffered allows, 8388608 bytes", StringComparison.Ordinal));
            using Socket honest = Connect(endpoint);
            honest.Send("hello\n"u8);
            byte[] answer = new byte[6];
            honest.ReceiveTimeout = 20_000;
            Assert.Equal(6, honest.Receive(answer));
            crowd.ForEach(static client => client.Dispose());
        }
    }

    /// <summary>The kernel holds little of what waits, so that the server has to.</summary>
    private static (Program Server, Endpoint Endpoint) Serve(params string[] arguments) => Doorbells.Serve(
        "native", ["echo", "tcp://127.0.0.1:0", "--option", "SO_SNDBUF=16k", .. arguments]);

    private static List<Socket> Crowd(Endpoint endpoint) => [.. Enumerable.Range(0, Clients).Select(_ => Connect(endpoint))];

    private static Socket Connect(Endpoint endpoint)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8192 };
        client.Connect(IPAddress.Parse(endpoint.Host!), endpoint.Port);
        return client;
    }

    private void AskUntil(List<Socket> crowd, Func<bool> isEnough)
    {
        crowd.ForEach(static client => client.Blocking = false);
        Waiting.Until(
            () =>
            {
                foreach (Socket client in crowd)
                {
                    _ = client.Send(_question, SocketFlags.None, out _);
                }

                return isEnough();
            },
            "the server holds enough");
    }

    private static long Resident(Program server)
    {
        string pages = File.ReadAllText($"/proc/{server.Id}/statm").Split(' ')[1];
        return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
