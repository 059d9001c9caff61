using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Doorbell.Lab.Impair.Datagrams;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Lab.Impair.Streams;

namespace Doorbell.Lab.Impair;

/// <summary>Makes a proxy that is a bad network.</summary>
public static class ImpairBinding
{
    private static readonly TimeSpan _resolveTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Binds the listening endpoint and looks for the upstream. Streams are carried from here on, datagrams from
    /// <see cref="ImpairProxy.RunAsync"/> on.
    /// </summary>
    /// <param name="options">What is carried, and how.</param>
    /// <param name="cancellation">Ends the wait for name resolution.</param>
    /// <returns>The proxy, bound. Its owner disposes it.</returns>
    /// <exception cref="ArgumentException">The endpoints are of two kinds, or the upstream is the listening endpoint itself.</exception>
    /// <exception cref="NetworkException">The endpoint can't be bound, or the upstream can't be resolved or reached.</exception>
    public static async Task<ImpairProxy> BindAsync(ImpairOptions options, CancellationToken cancellation)
    {
        options.Validate();
        EndPoint[] upstream = await Connector.AddressesAsync(options.Upstream, _resolveTimeout, cancellation).ConfigureAwait(false);
        ImpairProxy proxy = options.Listen.IsStream
            ? await StreamProxy.StartAsync(options, cancellation).ConfigureAwait(false)
            : await DatagramProxy.BindAsync(options, upstream[0], cancellation).ConfigureAwait(false);
        if (proxy.Endpoints.Any(own => own == options.Upstream || upstream.Any(address => Stands(own, address))))
        {
            // A proxy that is its own upstream would fill itself with the first thing that comes.
            await proxy.DisposeAsync().ConfigureAwait(false);
            throw new ArgumentException(
                $"ImpairOptions.Upstream is ImpairOptions.Listen itself, {options.Upstream}: name the server that clients mean");
        }

        return proxy;
    }

    /// <summary>Whether what goes to the address comes to the endpoint.</summary>
    private static bool Stands(Endpoint own, EndPoint address) => address is IPEndPoint ip
        && ip.Port == own.Port
        && (own.Host == "*" ? IsThisMachine(ip.Address) : IPAddress.TryParse(own.Host, out IPAddress? host) && Covers(host, ip.Address));

    private static bool Covers(IPAddress host, IPAddress address) => host.Equals(address)
        || (host.Equals(IPAddress.Any) && address.AddressFamily == AddressFamily.InterNetwork && IsThisMachine(address))
        || (host.Equals(IPAddress.IPv6Any) && address.AddressFamily == AddressFamily.InterNetworkV6 && IsThisMachine(address));

    private static bool IsThisMachine(IPAddress address) => IPAddress.IsLoopback(address) || NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(static network => network.GetIPProperties().UnicastAddresses)
        .Any(own => own.Address.Equals(address));
}
