using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>
/// Makes the sockets that a server's endpoints stand for: made, bound, and listening if they are a stream's. Where a socket is there
/// already, passed by whoever started this process or by the server before this one, it is used.
/// </summary>
internal sealed class Binding
{
    /// <summary>When any port will do for several addresses, so many ports are tried that all of them may share.</summary>
    private const int MostPortsTried = 16;

    private readonly ServerOptions _options;
    private readonly ServerModel _model;
    private readonly List<BoundSocket> _existing;

    /// <param name="options">What is asked for.</param>
    /// <param name="model">How many sockets it takes for one address.</param>
    /// <param name="takenOver">The last server's sockets; what no endpoint asks for is closed.</param>
    public Binding(ServerOptions options, ServerModel model, IEnumerable<BoundSocket> takenOver)
    {
        _options = options;
        _model = model;
        _existing = [.. takenOver];
    }

    /// <summary>SO_REUSEPORT=0 asks for one socket a port: then a model's lanes have that one between them.</summary>
    private bool MayShare =>
        _options.SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_REUSEPORT") is not { Asked: "0" };

    /// <summary>Binds all endpoints, or none.</summary>
    /// <exception cref="ArgumentException">The service does not speak over a socket that was passed, or an option fits none.</exception>
    /// <exception cref="NetworkException">One of them can't be had.</exception>
    public async Task<List<BoundSocket>> BindAllAsync(CancellationToken cancellation)
    {
        List<BoundSocket> sockets = [];
        try
        {
            if (_options.Endpoints.Count == 0)
            {
                sockets.AddRange(PassedSockets.AdoptAll(_options));
            }
            else
            {
                _existing.AddRange(PassedSockets.AdoptUnnamed(_options));
            }

            foreach (Endpoint endpoint in _options.Endpoints)
            {
                sockets.AddRange(await BindAsync(endpoint, cancellation).ConfigureAwait(false));
            }

            sockets.ForEach(bound => _options.RequireSpoken(bound.Door.Endpoint));
            ServerSocketOptions.RequireUse(_options.SocketOptions, sockets);
            return sockets;
        }
        catch
        {
            foreach (BoundSocket bound in sockets)
            {
                bound.Close();
            }

            throw;
        }
        finally
        {
            _existing.ForEach(static bound => bound.Socket.Dispose());
        }
    }

    private static bool Lacks(SocketError error) => error is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported
        or SocketError.ProtocolFamilyNotSupported;

    /// <summary>One endpoint's; each of TCP's and UDP's addresses by as many sockets as the model has lanes that own one.</summary>
    private async Task<List<BoundSocket>> BindAsync(Endpoint endpoint, CancellationToken cancellation)
    {
        if (endpoint.IsPassed)
        {
            return PassedSockets.Adopt(endpoint, _options);
        }

        if (TakeExisting(endpoint) is { Count: > 0 } existing)
        {
            return existing;
        }

        if (endpoint.IsUnix)
        {
            return [UnixBinding.Bind(endpoint, _options)];
        }

        return endpoint.Host == "*"
            ? Share(BindEveryInterface(endpoint))
            : await BindAddressesAsync(endpoint, cancellation).ConfigureAwait(false);
    }

    /// <summary>A socket does not tell that CoAP is spoken over it: it is a UDP socket of that address.</summary>
    private List<BoundSocket> TakeExisting(Endpoint door)
    {
        Endpoint told = door.Transport == Transport.Coap ? new Endpoint(Transport.Udp, door.Host, door.Port, null) : door;
        List<BoundSocket> taken = _existing.FindAll(bound => bound.Door.Endpoint == told);
        _existing.RemoveAll(taken.Contains);
        return [.. taken.Select(bound => bound with { Door = bound.Door with { Endpoint = door } })];
    }

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
                    Endpoint door = IPBinding.DoorOf(endpoint.Transport, address, port, dualStack: false).Endpoint;
                    List<BoundSocket> bound = TakeExisting(door) is { Count: > 0 } existing
                        ? existing
                        : Share(IPBinding.Bind(endpoint.Transport, new IPEndPoint(address, port), dualStack: false, _options));
                    port = bound[0].Door.Endpoint.Port;
                    sockets.AddRange(bound);
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
            return IPBinding.Bind(endpoint.Transport, new IPEndPoint(IPAddress.IPv6Any, endpoint.Port), dualStack: true, _options);
        }
        catch (NetworkException lacking) when (Lacks(lacking.Error))
        {
            return IPBinding.Bind(endpoint.Transport, new IPEndPoint(IPAddress.Any, endpoint.Port), dualStack: false, _options);
        }
    }

    /// <summary>
    /// Puts in the place of a socket several that share its port (SO_REUSEPORT, socket(7)): the kernel spreads what comes over
    /// them. The first socket had the port to itself, unless sharing was asked for, so nobody else is on it.
    /// </summary>
    private List<BoundSocket> Share(BoundSocket alone)
    {
        int shards = !MayShare ? 1 : alone.IsListener ? _model.ListenersPerDoor : _model.DatagramLanes;
        if (shards == 1)
        {
            return [alone];
        }

        List<BoundSocket> sharing = [];
        try
        {
            IPEndPoint address = (IPEndPoint)alone.Socket.LocalEndPoint!;
            bool dualStack = address.AddressFamily == AddressFamily.InterNetworkV6 && alone.Socket.DualMode;
            alone.Socket.Dispose();
            for (int i = 0; i < shards; i++)
            {
                BoundSocket bound = IPBinding.Bind(alone.Door.Endpoint.Transport, address, dualStack, _options, sharesPort: true);
                sharing.Add(bound with { Door = alone.Door });
            }

            return sharing;
        }
        catch
        {
            sharing.ForEach(static bound => bound.Socket.Dispose());
            throw;
        }
    }
}
