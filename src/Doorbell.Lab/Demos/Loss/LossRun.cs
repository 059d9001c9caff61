using System.Diagnostics;
using System.Text;
using Doorbell.Coap;
using Doorbell.Sessions;
using CoapConnection = Doorbell.RequestClient<Doorbell.Coap.CoapClientRequest, Doorbell.Coap.CoapClientResponse>;

namespace Doorbell.Lab.Demos.Loss;

/// <summary>Questions asked in every way, at one loss, at the same time, through an impairing proxy on loopback.</summary>
/// <param name="loss">The share of datagrams that are lost in each direction, 0 to 1.</param>
/// <param name="seed">The seed of the chances.</param>
/// <param name="report">Told in one line what the proxy wants to be known.</param>
public sealed class LossRun(double loss, long seed, Action<string> report)
{
    /// <summary>Clients in each way at once.</summary>
    public const int Clients = 64;

    /// <summary>Questions of each client, one after the other.</summary>
    public const int QuestionsEach = 5;

    /// <summary>On loopback an answer comes within milliseconds or never.</summary>
    public static readonly TimeSpan OnceTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a question that is sent again may take: the default of the command that asks.</summary>
    public static readonly TimeSpan AgainTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a question over CoAP may take.</summary>
    public static readonly TimeSpan ReliableTimeout = TimeSpan.FromSeconds(20);

    private const int Ways = 3;

    /// <summary>Clients begin one after the other: all at once they would wait for the processor, not for the network.</summary>
    private static readonly TimeSpan _begin = TimeSpan.FromSeconds(6);

    private static readonly RetrySchedule _once = RetrySchedule.Default with { Tries = 1 };

    private readonly Dictionary<LossWay, LossTally> _tallies =
        Enum.GetValues<LossWay>().ToDictionary(static way => way, static _ => new LossTally());

    private readonly LossWay[] _asked = new LossWay[Ways * Clients * QuestionsEach];

    /// <summary>The share that is lost in each direction, 0 to 1.</summary>
    public double Loss => loss;

    /// <summary>What became of the questions that were asked in one way.</summary>
    /// <param name="way">The way.</param>
    public LossTally Of(LossWay way) => _tallies[way];

    /// <summary>Asks all, and counts the effects when nothing is on its way any more.</summary>
    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await using LossServer server = await LossServer.StartAsync(_asked.Length, loss, seed, report, cancellation);
        await Task.WhenAll(Enumerable.Range(0, Ways * Clients).Select(client => AskInTurnAsync(server, client, cancellation)));
        foreach ((int question, LossWay way) in _asked.Index())
        {
            if (server.Effects(question) > 1)
            {
                Of(way).AddDoubled();
            }
        }
    }

    private async Task AskInTurnAsync(LossServer server, int client, CancellationToken cancellation)
    {
        await Task.Delay(_begin * (client / Ways) / Clients, cancellation);
        Task asked = (client % Ways) switch
        {
            0 => AskPlainAsync(server, client, LossWay.Once, _once, OnceTimeout, cancellation),
            1 => AskPlainAsync(server, client, LossWay.Again, RetrySchedule.Default, AgainTimeout, cancellation),
            _ => AskReliablyAsync(server, client, cancellation),
        };
        await asked;
    }

    private async Task AskPlainAsync(
        LossServer server, int client, LossWay way, RetrySchedule schedule, TimeSpan timeout, CancellationToken cancellation)
    {
        for (int question = client * QuestionsEach; question < (client + 1) * QuestionsEach; question++)
        {
            await AskAsync(question, way, async () =>
                await DatagramClient.AskAsync(server.Plain, Body(question), timeout, schedule, cancellation));
        }
    }

    private async Task AskReliablyAsync(LossServer server, int client, CancellationToken cancellation)
    {
        using CoapConnection connection = await RequestClient.ConnectAsync(
            server.Coap,
            static socket => new CoapClientHandler(socket, CoapClientLimits.Default),
            ReliableTimeout,
            ClientOptions.Default,
            cancellation);
        for (int question = client * QuestionsEach; question < (client + 1) * QuestionsEach; question++)
        {
            LossWay way = connection.RoundTrip == TimeSpan.Zero ? LossWay.FirstContact : LossWay.Reliable;
            CoapClientRequest request = new() { Method = CoapCode.Post, Path = "count", Body = Body(question) };
            await AskAsync(question, way, async () => await connection.AskAsync(request, ReliableTimeout, cancellation));
        }
    }

    private async Task AskAsync(int question, LossWay way, Func<Task> ask)
    {
        _asked[question] = way;
        long began = Stopwatch.GetTimestamp();
        try
        {
            await ask();
            Of(way).Add(Stopwatch.GetElapsedTime(began));
        }
        catch (NetworkException)
        {
            Of(way).Add(null);
        }
    }

    private static byte[] Body(int question) => Encoding.UTF8.GetBytes($"{question}");
}
