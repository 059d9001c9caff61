using System.Net;
using System.Text;
using Doorbell.Coap;
using Doorbell.Lab.Impair;
using Doorbell.Lab.Impair.Control;
using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Links;

namespace Doorbell.Lab.Demos.Loss;

/// <summary>
/// A service that must not do a thing twice, over UDP and over CoAP, each behind a proxy that loses as many datagrams as asked, up and
/// down. A question is the number of its effect.
/// </summary>
internal sealed class LossServer : IAsyncDisposable
{
    private readonly int[] _effects;
    private readonly Server _server;
    private readonly List<ImpairProxy> _proxies = [];
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _over = new();

    private LossServer(int[] effects, Server server)
    {
        _effects = effects;
        _server = server;
    }

    /// <summary>Where to ask by datagrams.</summary>
    public Endpoint Plain { get; private set; } = null!;

    /// <summary>Where to ask by CoAP; a UDP endpoint.</summary>
    public Endpoint Coap { get; private set; } = null!;

    /// <param name="questions">How many numbers there are.</param>
    /// <param name="loss">0 to 1, each way.</param>
    /// <param name="seed">Of the chances.</param>
    /// <param name="report">Told in one line what a proxy wants to be known.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<LossServer> StartAsync(
        int questions, double loss, long seed, Action<string> report, CancellationToken cancellation)
    {
        int[] effects = new int[questions];
        Service service = new("count") { NewDatagramHandler = _ => new Counting(effects) };
        Endpoint anyPort = Endpoint.Parse("udp://127.0.0.1:0");
        Server server = await Server.StartAsync(new ServerOptions
        {
            Doors =
            [
                new DoorOptions { Endpoint = anyPort, Service = service },
                new DoorOptions { Endpoint = anyPort, Service = CoapService.From(service) },
            ],
        }, cancellation);
        LossServer lossy = new(effects, server);
        lossy.Plain = await lossy.ImpairAsync(server.Doors[0].Endpoint.Port, loss, seed, report, cancellation);
        lossy.Coap = await lossy.ImpairAsync(server.Doors[1].Endpoint.Port, loss, seed + 1, report, cancellation);
        return lossy;
    }

    /// <summary>How often a question has had its effect.</summary>
    public int Effects(int question) => Volatile.Read(ref _effects[question]);

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_running);
        foreach (ImpairProxy proxy in _proxies)
        {
            await proxy.DisposeAsync();
        }

        await _server.DisposeAsync();
        _over.Dispose();
    }

    private async Task<Endpoint> ImpairAsync(int port, double loss, long seed, Action<string> report, CancellationToken cancellation)
    {
        WayFaults faults = WayFaults.None with { Link = new LinkOptions { Loss = loss } };
        ImpairOptions options = new()
        {
            Listen = Endpoint.Parse("udp://127.0.0.1:0"),
            Upstream = Endpoint.From(Transport.Udp, new IPEndPoint(IPAddress.Loopback, port)),
            Faults = new FaultControl(streams: false, new BothFaults(faults, faults), static () => { }),
            Seed = seed,
            Report = report,
        };
        ImpairProxy proxy = await ImpairBinding.BindAsync(options, cancellation);
        _proxies.Add(proxy);
        _running.Add(proxy.RunAsync(_over.Token));
        return proxy.Endpoints[0];
    }

    private sealed class Counting(int[] effects) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            if (int.TryParse(Encoding.UTF8.GetString(datagram.Bytes), out int question) && (uint)question < effects.Length)
            {
                Interlocked.Increment(ref effects[question]);
                turn.Reply(datagram.Bytes);
            }
        }
    }
}
