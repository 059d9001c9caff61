using System.Net;
using System.Net.Sockets;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>
/// Makes the sockets that a server's endpoints stand for: made, bound, and listening if they are a stream's. Where a socket is there
/// already, passed by whoever started this process or by the server before this one, it is used.
/// </summary>
internal sealed class Binding
{
    /// <summary>When any port will do for several addresses, so many ports are tried that all of them may share.</summary>
    private const int MaxPortsTried = 16;

    private readonly IReadOnlyList<DoorOptions> _doors;
    private readonly ListenOptions _options;
    private readonly ServerModel _model;
    private readonly List<DoorSocket> _existing;

    /// <param name="doors">What is to be served, and where.</param>
    /// <param name="options">How the sockets are bound.</param>
    /// <param name="model">How many sockets it takes for one address.</param>
    /// <param name="takenOver">The last server's sockets; what no endpoint asks for is closed.</param>
    public Binding(
        IReadOnlyList<DoorOptions> doors,
        ListenOptions options,
        ServerModel model,
        IEnumerable<DoorSocket> takenOver)
    {
        _doors = doors;
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
    public async Task<List<DoorSocket>> BindAllAsync(CancellationToken cancellation)
    {
        List<DoorSocket> sockets = [];
        try
        {
            if (_doors is not [{ IsAllPassed: true }])
            {
                _existing.AddRange(PassedSockets.AdoptUnnamed(_doors.Select(static door => door.Endpoint), _options));
            }

            foreach ((int number, DoorOptions door) in _doors.Index())
            {
                List<DoorSocket> bound = door.IsAllPassed
                    ? PassedSockets.AdoptAll(_options)
                    : await BindAsync(door.Endpoint, cancellation).ConfigureAwait(false);
                sockets.AddRange(Serve(bound, door, number));
            }

            ServerSocketOptions.RequireUse(_options.SocketOptions, sockets);
            return sockets;
        }
        catch
        {
            foreach (DoorSocket bound in sockets)
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

    /// <summary>Says what is served at these sockets of a door.</summary>
    /// <exception cref="ArgumentException">The service does not speak over one that was passed.</exception>
    private static IEnumerable<DoorSocket> Serve(List<DoorSocket> sockets, DoorOptions door, int number)
    {
        try
        {
            sockets.ForEach(bound => door.RequireSpoken(bound.Door.Endpoint));
        }
        catch
        {
            sockets.ForEach(static bound => bound.Close());
            throw;
        }

        return sockets.Select(bound => bound with
        {
            Door = bound.Door.With(door, number) with { Endpoint = bound.Door.Endpoint.As(door.Endpoint.Application) },
        });
    }

    private static bool Lacks(SocketError error) => error is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported
        or SocketError.ProtocolFamilyNotSupported;

    /// <summary>One endpoint's; each of TCP's and UDP's addresses by as many sockets as the model has lanes that own one.</summary>
    private async Task<List<DoorSocket>> BindAsync(Endpoint endpoint, CancellationToken cancellation)
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

    /// <summary>A socket does not tell which protocol is spoken over it.</summary>
    private List<DoorSocket> TakeExisting(Endpoint door)
    {
        Endpoint told = door.As(null);
        List<DoorSocket> taken = _existing.FindAll(bound => bound.Door.Endpoint == told);
        _existing.RemoveAll(taken.Contains);
        return [.. taken.Select(bound => bound with { Door = bound.Door with { Endpoint = door } })];
    }

    private async Task<List<DoorSocket>> BindAddressesAsync(Endpoint endpoint, CancellationToken cancellation)
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
                endpoint.Port == 0 && taken.Error == SocketError.AddressAlreadyInUse && tried < MaxPortsTried)
            {
                // Another address has that port taken: ask the kernel for another port.
            }
        }
    }

    /// <summary>With <paramref name="optional"/>, a loopback address that this machine lacks is left out.</summary>
    private List<DoorSocket> BindAll(Endpoint endpoint, IPAddress[] addresses, bool optional)
    {
        List<DoorSocket> sockets = [];
        NetworkException? lacks = null;
        int port = endpoint.Port;
        try
        {
            foreach (IPAddress address in addresses.OrderBy(static address => address.AddressFamily))
            {
                try
                {
                    Endpoint door = IPBinding.DoorOf(endpoint.Transport, address, port, dualStack: false).Endpoint;
                    List<DoorSocket> bound = TakeExisting(door) is { Count: > 0 } existing
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

    private DoorSocket BindEveryInterface(Endpoint endpoint)
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
    private List<DoorSocket> Share(DoorSocket alone)
    {
        int shards = !MayShare ? 1 : alone.IsListener ? _model.ListenersPerDoor : _model.DatagramLanes;
        if (shards == 1)
        {
            return [alone];
        }

        List<DoorSocket> sharing = [];
        try
        {
            IPEndPoint address = (IPEndPoint)alone.Socket.LocalEndPoint!;
            bool dualStack = address.AddressFamily == AddressFamily.InterNetworkV6 && alone.Socket.DualMode;
            alone.Socket.Dispose();
            for (int i = 0; i < shards; i++)
            {
                DoorSocket bound = IPBinding.Bind(alone.Door.Endpoint.Transport, address, dualStack, _options, sharesPort: true);
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
