using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>Makes the sockets that an endpoint to serve stands for: made, bound, and listening if they are a stream's.</summary>
internal sealed class Binding(ServerOptions options, ServerModel model)
{
    /// <summary>When any port will do for several addresses, so many ports are tried that all of them may share.</summary>
    private const int MostPortsTried = 16;

    /// <summary>SO_REUSEPORT=0 asks for one socket a port: then a model's lanes have that one between them.</summary>
    private bool MayShare =>
        options.SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_REUSEPORT") is not { Asked: "0" };

    /// <summary>
    /// Binds all the addresses of <paramref name="endpoint"/>, or none; each of TCP's and UDP's by as many sockets as the model has
    /// lanes that own one.
    /// </summary>
    /// <exception cref="NetworkException">One of them can't be had.</exception>
    public async Task<List<BoundSocket>> BindAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        if (endpoint.IsUnix)
        {
            return [UnixBinding.Bind(endpoint, options)];
        }

        int shards = !MayShare ? 1 : endpoint.IsStream ? model.ListenersPerDoor : model.DatagramLanes;
        List<BoundSocket> sockets = endpoint.Host == "*"
            ? [BindEveryInterface(endpoint)]
            : await BindAddressesAsync(endpoint, cancellation).ConfigureAwait(false);
        return shards == 1 ? sockets : Shard(sockets, shards);
    }

    private static bool Lacks(SocketError error) => error is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported
        or SocketError.ProtocolFamilyNotSupported;

    private async Task<List<BoundSocket>> BindAddressesAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        IPAddress[] addresses = await Resolver.ResolveAsync(endpoint, cancellation).ConfigureAwait(false);
        bool optional = addresses.Length > 1 && addresses.All(IPAddress.IsLoopback);
        for (int tried = 1; ; tried++)
        {
            try
            {
                return BindAll(endpoint, addresses, optional);
            }
            catch (NetworkException taken) when (
                endpoint.Port == 0 && taken.Error == SocketError.AddressAlreadyInUse && tried < MostPortsTried)
            {
                // Another address has that port taken: ask the kernel for another port.
            }
        }
    }

    /// <summary>With <paramref name="optional"/>, a loopback address that this machine lacks is left out.</summary>
    private List<BoundSocket> BindAll(Endpoint endpoint, IPAddress[] addresses, bool optional)
    {
        List<BoundSocket> sockets = [];
        NetworkException? lacks = null;
        int port = endpoint.Port;
        try
        {
            foreach (IPAddress address in addresses.OrderBy(static address => address.AddressFamily))
            {
                try
                {
                    BoundSocket bound = IPBinding.Bind(endpoint.Transport, new IPEndPoint(address, port), dualStack: false, options);
                    port = bound.Door.Endpoint.Port;
                    sockets.Add(bound);
                }
                catch (NetworkException lacking) when (optional && Lacks(lacking.Error))
                {
                    lacks = lacking;
                }
            }

            return sockets.Count > 0 || lacks is null ? sockets : throw lacks;
        }
        catch
        {
            sockets.ForEach(static bound => bound.Socket.Dispose());
            throw;
        }
    }

    private BoundSocket BindEveryInterface(Endpoint endpoint)
    {
        try
        {
            return IPBinding.Bind(endpoint.Transport, new IPEndPoint(IPAddress.IPv6Any, endpoint.Port), dualStack: true, options);
        }
        catch (NetworkException lacking) when (Lacks(lacking.Error))
        {
            return IPBinding.Bind(endpoint.Transport, new IPEndPoint(IPAddress.Any, endpoint.Port), dualStack: false, options);
        }
    }

    /// <summary>
    /// Puts in the place of each socket several that share its port (SO_REUSEPORT, socket(7)): the kernel spreads what comes over
    /// them. The first socket had the port to itself, so nobody else is on it.
    /// </summary>
    private List<BoundSocket> Shard(List<BoundSocket> sockets, int shards)
    {
        List<BoundSocket> sharing = [];
        try
        {
            foreach ((Socket alone, Door door) in sockets)
            {
                IPEndPoint address = (IPEndPoint)alone.LocalEndPoint!;
                bool dualStack = address.AddressFamily == AddressFamily.InterNetworkV6 && alone.DualMode;
                alone.Dispose();
                for (int i = 0; i < shards; i++)
                {
                    BoundSocket bound = IPBinding.Bind(door.Endpoint.Transport, address, dualStack, options, sharesPort: true);
                    sharing.Add(bound with { Door = door });
                }
            }
        }
        catch
        {
            sharing.ForEach(static bound => bound.Socket.Dispose());
            sockets.ForEach(static bound => bound.Socket.Dispose());
            throw;
        }

        return sharing;
    }
}
