using Doorbell.Cli.Printing;
using Doorbell.Lab.Impair.Toxiproxy;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell impair --toxiproxy-api</c>: proxies that are made and ruled by toxiproxy's HTTP API.</summary>
internal static class ToxiproxyApiRun
{
    /// <summary>Where it listens if nobody says.</summary>
    public static string DefaultEndpoint { get; } = $"tcp://localhost:{ToxiproxyServer.DefaultPort}";

    /// <summary>Serves until a signal.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="seed">Of all chances.</param>
    /// <param name="json">Whether events are printed as JSON.</param>
    public static async Task<int> RunAsync(Endpoint endpoint, long seed, bool json)
    {
        StopSignals.Listen();
        await using ToxiproxyServer server = await ToxiproxyServer.StartAsync(endpoint, seed, Failure.Post, StopSignals.First);
        foreach (Endpoint door in server.Endpoints)
        {
            JsonLine.Print(
                json,
                $"serving toxiproxy's API (seed {seed}) on {door}",
                writer =>
                {
                    writer.WriteString("event", "listening");
                    writer.WriteString("endpoint", door.ToString());
                    writer.WriteNumber("seed", seed);
                });
        }

        await server.RunAsync(StopSignals.First);
        return 0;
    }
}
