using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// Clients connect without a pause while a server ends: each connection is served or closed in order, and whoever comes later is refused.
/// None is reset, since none waits in a backlog when its listener is closed.
/// </summary>
[Collection("measures this process")]
public sealed class ArrivalDrainTests
{
    private const int Clients = 8;
    private const int Stops = 5;
    private const int Answered = 40;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string> All
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in Models.All)
            {
                all.Add(model, "tcp");
                all.Add(model, "unix");
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Nobody_is_reset_who_connects_while_the_server_ends(string model, string transport)
    {
        List<string> lost = [];
        for (int stop = 0; stop < Stops; stop++)
        {
            lost.AddRange(await StopUnderArrivalAsync(model, transport));
        }

        Assert.Empty(lost);
    }

    /// <summary>What became of connections that were neither served nor closed in order nor refused.</summary>
    private static async Task<string[]> StopUnderArrivalAsync(string model, string transport)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, transport, model: model);
        Endpoint endpoint = running.Endpoint;
        ConcurrentQueue<string> lost = [];
        int answered = 0;
        Task clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (Visit(endpoint, lost))
                {
                    Interlocked.Increment(ref answered);
                }
            },
            TaskCreationOptions.LongRunning)));
        Peer.Eventually(() => Volatile.Read(ref answered) >= Answered, "clients come and go");
        await running.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
        await clients.WaitAsync(_patience, TestContext.Current.CancellationToken);
        return [.. lost];
    }

    /// <summary>False if nobody listens any more.</summary>
    private static bool Visit(Endpoint endpoint, ConcurrentQueue<string> lost)
    {
        string when = "connect";
        try
        {
            using Peer peer = new(endpoint);
            when = "ask";
            peer.Send("hi\n");
            peer.HalfClose();
            if (peer.ReceiveToEnd() is var answer and not ("hi\n" or ""))
            {
                lost.Enqueue($"answered \"{answer}\"");
            }

            return true;
        }
        catch (SocketException refused) when (when == "connect" && IsNobody(refused.SocketErrorCode))
        {
            return false;
        }
        catch (SocketException failure)
        {
            lost.Enqueue($"{when}: {failure.SocketErrorCode}");
            return true;
        }
    }

    /// <summary>Of a unix socket the file may be gone already: ENOENT.</summary>
    private static bool IsNobody(SocketError error) => error is SocketError.ConnectionRefused or SocketError.AddressNotAvailable;
}
