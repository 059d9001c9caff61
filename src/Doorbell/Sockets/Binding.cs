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

    /// <summary>Five seconds in all.</summary>
    private const int MaxTriesForAddress = 250;

    private static readonly TimeSpan _betweenTries = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<DoorOptions> _doors;
    private readonly ListenOptions _options;
    private readonly ServerModel _model;
    private readonly List<DoorSocket> _existing;
    private readonly TakeoverClient? _takeover;
    private readonly bool _mayLeaveDoors;

    /// <param name="doors">What is to be served, and where.</param>
    /// <param name="options">How the sockets are bound.</param>
    /// <param name="model">How many datagram sockets it takes for one address.</param>
    /// <param name="takeover">The last server's sockets; null if there was none.</param>
    /// <param name="mayLeaveDoors">Whether the last server may have had doors that no endpoint asks for: then they are closed.</param>
    public Binding(
        IReadOnlyList<DoorOptions> doors,
        ListenOptions options,
        ServerModel model,
        TakeoverClient? takeover,
        bool mayLeaveDoors)
    {
        _doors = doors;
        _options = options;
        _model = model;
        _existing = [.. takeover?.Sockets ?? []];
        _takeover = takeover;
        _mayLeaveDoors = mayLeaveDoors;
    }

    /// <summary>
    /// Whether an address that is in use may be free in a moment: the last server has died, and a process that it was just starting has its
    /// sockets until it runs.
    /// </summary>
    public bool WaitsForAddress { get; init; }

    /// <summary>What the last server served and nobody will; once all is bound.</summary>
    public IReadOnlyList<Endpoint> LeftDoors { get; private set; } = [];

    /// <summary>What the last server did not serve and this one will; once all is bound.</summary>
    public IReadOnlyList<Endpoint> AddedDoors { get; private set; } = [];

    /// <summary>SO_REUSEPORT=0 asks for one socket a port: then a model's lanes have that one between them.</summary>
    private bool MayShare =>
        _options.SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_REUSEPORT") is not { Asked: "0" };

    /// <summary>Binds all endpoints, or none.</summary>
    /// <exception cref="ArgumentException">
    /// The service does not speak over a socket that was passed, an option fits none, or a door of the last server would be left.
    /// </exception>
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
                    : await BindInTimeAsync(door, cancellation).ConfigureAwait(false);
                sockets.AddRange(Serve(bound, door, number));
            }

            ServerSocketOptions.RequireUse(_options.SocketOptions, sockets);
            await TrialConnection.RequireOptionsAsync(sockets, cancellation).ConfigureAwait(false);
            if (_takeover is { IsDead: false })
            {
                CompareWithLast(sockets, _takeover);
            }

            HashSet<Endpoint> first = [];
            return sockets.ConvertAll(bound => bound with { IsFurther = !bound.IsListener && !first.Add(bound.Door.Endpoint) });
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

    /// <summary>
    /// The last server drains, and then a door that nobody took is dead. That is more often a word mistyped than meant.
    /// </summary>
    private void CompareWithLast(List<DoorSocket> sockets, TakeoverClient last)
    {
        HashSet<Endpoint> served = [.. sockets.Select(static bound => bound.Door.Endpoint.As(null))];
        HashSet<Endpoint> before = [.. last.Sockets.Select(static bound => bound.Door.Endpoint)];
        LeftDoors = [.. before.Except(served)];
        AddedDoors = [.. served.Except(before)];
        if (LeftDoors.Count > 0 && !_mayLeaveDoors)
        {
            string added = AddedDoors.Count > 0 ? $", but {string.Join(" and ", AddedDoors)} in addition" : "";
            throw new ArgumentException(
                $"process {last.Process}, which serves now, has {string.Join(" and ", LeftDoors)}, and this server would not serve that"
                    + $"{added}; nothing is taken over. Give the same endpoints, or set ServerOptions.TakeoverChanges");
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

    private async Task<List<DoorSocket>> BindInTimeAsync(DoorOptions door, CancellationToken cancellation)
    {
        for (int tried = 1; ; tried++)
        {
            try
            {
                return await BindAsync(door, cancellation).ConfigureAwait(false);
            }
            catch (NetworkException taken) when (
                WaitsForAddress && tried < MaxTriesForAddress && taken.Error == SocketError.AddressAlreadyInUse)
            {
                await Task.Delay(_betweenTries, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>One endpoint's; each of UDP's addresses by as many sockets as the model has lanes that own one.</summary>
    private async Task<List<DoorSocket>> BindAsync(DoorOptions door, CancellationToken cancellation)
    {
        Endpoint endpoint = IPBinding.WithFamilies(door.Endpoint, _options);
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
            bool isAsked = door.SocketFile != SocketFileOptions.Default;
            return [UnixBinding.Bind(endpoint, isAsked ? _options with { SocketFile = door.SocketFile } : _options)];
        }

        return endpoint.Host == "*"
            ? Share(BindEveryInterface(endpoint))
            : await BindAddressesAsync(endpoint, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// A socket does not tell which protocol is spoken over it. A group without an interface is what it is on whatever interface the socket
    /// has joined it.
    /// </summary>
    private List<DoorSocket> TakeExisting(Endpoint door)
    {
        Endpoint told = door.As(null);
        List<DoorSocket> taken = _existing.FindAll(bound => bound.Door.Endpoint == told || IsSomewhere(told, bound.Door.Endpoint));
        _existing.RemoveAll(taken.Contains);
        return [.. taken.Select(bound => bound with { Door = bound.Door with { Endpoint = bound.Door.Endpoint.As(door.Application) } })];
    }

    private static bool IsSomewhere(Endpoint group, Endpoint bound) => group.Interface == 0 && IsSameGroup(group, bound);

    private static bool IsSameGroup(Endpoint group, Endpoint bound) =>
        group.Address is { } asked && MulticastGroup.Is(asked) && bound.Address is { } joined && bound.Transport == group.Transport
        && bound.Port == group.Port && MulticastGroup.Bare(joined).Equals(MulticastGroup.Bare(asked));

    /// <summary>Two sockets of one group and port are refused, whatever their interfaces: the bind would blame another program.</summary>
    private void RequireSameInterface(Endpoint door)
    {
        if (_existing.Find(bound => IsSameGroup(door, bound.Door.Endpoint)) is { } elsewhere)
        {
            throw new ArgumentException(
                $"the server to be taken over has joined {elsewhere.Door.Endpoint}, and this server would not serve that but {door}: "
                    + "give the same interface, or stop the old server first");
        }
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
                    Endpoint door = IPBinding.DoorOf(endpoint.Transport, address, port, dualStack: false, endpoint.Interface).Endpoint;

                    List<DoorSocket> existing = TakeExisting(door);
                    if (existing.Count == 0)
                    {
                        RequireSameInterface(door);
                    }

                    List<DoorSocket> bound = existing.Count > 0
                        ? existing
                        : Share(IPBinding.Bind(
                            endpoint.Transport, new IPEndPoint(address, port), dualStack: false, _options,
                            networkInterface: endpoint.Interface));
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

    private static bool IsOfMany(DoorSocket socket) => socket.Socket.LocalEndPoint is IPEndPoint address
        && (MulticastGroup.Is(address.Address) || MulticastGroup.IsBroadcast(address));

    /// <summary>
    /// Puts in the place of a datagram socket several that share its port (SO_REUSEPORT, socket(7)): the kernel spreads over them what
    /// comes. The first socket had the port to itself, unless sharing was asked for, so nobody else is on it, and who joins later gets
    /// nothing (<see cref="RawOptions.GuardPort"/>). A listener stays one,
    /// whatever the model: whoever sets SO_REUSEPORT lets every program of the same user listen there too. A multicast group
    /// and a broadcast address have one socket as well: of several, each would get and answer every datagram.
    /// </summary>
    private List<DoorSocket> Share(DoorSocket alone)
    {
        int shards = MayShare && !alone.IsListener && !IsOfMany(alone) ? _model.DatagramLanes : 1;
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

            if (!_options.SharesPort)
            {
                RawOptions.GuardPort(sharing[0].Socket, shards);
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
