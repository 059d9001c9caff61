using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell;

/// <summary>
/// How a client makes its sockets. <see cref="Connector"/> and the clients that ask take it as it is; <see cref="Client"/> and
/// <see cref="Turn.Connect(Endpoint, StreamHandler, ConnectOptions)"/> take it as <see cref="ConnectOptions.Transport"/>.
/// </summary>
public sealed record ClientOptions : TransportOptions
{
    /// <summary>Nothing out of the ordinary.</summary>
    public static ClientOptions Default { get; } = new();

    /// <summary>
    /// Socket options beyond Doorbell's own, which they override, set before bind and connect or after, as each has to be, on every
    /// socket that it has an effect on. Default none.
    /// </summary>
    public IReadOnlyList<SocketOptionSetting> SocketOptions { get; init; } = [];

    /// <summary>
    /// Which address of this machine the sockets are bound to (bind(2)): where it has several, the one that the server is to see. Of a
    /// name's addresses those of the other family are then left out. Default null: the kernel chooses.
    /// </summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>
    /// Which port of this machine the sockets are bound to, for a server that asks for one. Over TCP the port of a connection that has
    /// ended can be taken again at once (SO_REUSEADDR), though not to the same server while TIME_WAIT lasts. Default 0: the kernel chooses.
    /// </summary>
    public int LocalPort { get; init; }

    /// <summary>
    /// Of which family a server's addresses are to be, <see cref="AddressFamily.InterNetwork"/> or
    /// <see cref="AddressFamily.InterNetworkV6"/>; the others of a name are left out. Default null: that of <see cref="LocalAddress"/>, or
    /// both.
    /// </summary>
    public AddressFamily? Family { get; init; }

    /// <summary>
    /// Is told what the kernel made of each option, once for each socket tried, perhaps on several threads at once; null for nobody.
    /// </summary>
    public Action<SocketOptionOutcome>? SocketOptionSet { get; init; }

    /// <summary>
    /// Is told what a client that asks sends, before it is sent, as for a dump: by a <see cref="MessageClient"/>, a
    /// <see cref="StreamClient"/> and a <see cref="DatagramClient"/>, perhaps on several threads at once. It keeps nothing of the memory,
    /// and asks the client nothing. Null for nobody.
    /// </summary>
    public Action<ReadOnlyMemory<byte>>? Sending { get; init; }

    /// <summary>Is told in the same way what has come, before it is looked at. Null for nobody.</summary>
    public Action<ReadOnlyMemory<byte>>? Received { get; init; }

    /// <summary>
    /// Whether a socket may send to a broadcast address: yes, unless SO_BROADCAST is asked to be 0. The kernel sends nothing there for a
    /// socket that has not set it (ip(7)).
    /// </summary>
    internal bool AllowsBroadcast =>
        SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_BROADCAST") is null or { Asked: "1" };

    /// <summary>Whether the sockets are bound before they are connected.</summary>
    internal bool IsBound => LocalAddress is not null || LocalPort != 0;

    private AddressFamily? FamilyAsked => Family ?? LocalAddress?.AddressFamily;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An option, or the address, has no effect on any socket to the endpoint.</exception>
    public override void Validate(Endpoint endpoint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(LocalPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(LocalPort, IPEndPoint.MaxPort, nameof(LocalPort));
        ValidateFamily(endpoint);
        SocketKinds kinds = SocketKindsOf.Transport(endpoint.Transport);
        foreach (SocketOption option in SocketOptions.Select(static setting => setting.Option))
        {
            if (!option.IsForClients)
            {
                throw new ArgumentException($"{option} is for a listener, not for the side that connects");
            }

            if ((option.Kinds & kinds) == 0)
            {
                throw new ArgumentException(
                    $"{option} has no effect on {endpoint}: it is for {SocketKindsOf.Words(option.Kinds)}");
            }
        }
    }

    /// <summary>Whether a server's address is of the family asked for, if there is one.</summary>
    internal bool Takes(AddressFamily family) =>
        family == AddressFamily.Unix || FamilyAsked is not { } asked || asked == family;

    /// <exception cref="NetworkException">The kernel refuses an option or the address.</exception>
    internal void BeforeConnect(Socket socket, string target)
    {
        Apply(SocketKindsOf.Socket(socket), setting => setting.Apply(socket, target), connected: false);
        if (!IsBound)
        {
            return;
        }

        IPEndPoint local = LocalOf(socket.AddressFamily);
        try
        {
            if (OperatingSystem.IsLinux() && socket.SocketType == SocketType.Stream)
            {
                (int level, int option) = BeforeBind;
                socket.SetRawSocketOption(level, option, BitConverter.GetBytes(1));
            }

            socket.Bind(local);
        }
        catch (SocketException refused)
        {
            throw NetworkException.From("bind", BoundTo(local), refused);
        }
    }

    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    internal void Connected(Socket socket, string target) =>
        Apply(SocketKindsOf.Socket(socket), setting => setting.Apply(socket, target), connected: true);

    /// <summary>As <see cref="BeforeConnect(Socket, string)"/>, on the descriptor of a stream socket. Linux alone.</summary>
    /// <exception cref="NetworkException">The kernel refuses an option or the address.</exception>
    internal unsafe void BeforeConnect(int descriptor, AddressFamily family, string target)
    {
        Apply(KindsOf(family), setting => setting.Apply(descriptor, target), connected: false);
        if (!IsBound)
        {
            return;
        }

        int on = 1;
        (int level, int option) = BeforeBind;
        _ = Libc.setsockopt(descriptor, level, option, &on, sizeof(int));
        IPEndPoint local = LocalOf(family);
        SocketAddress address = local.Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Libc.bind(descriptor, bytes, address.Size) != 0)
            {
                throw NetworkException.FromErrno("bind", BoundTo(local), Marshal.GetLastPInvokeError());
            }
        }
    }

    /// <summary>As <see cref="Connected(Socket, string)"/>, on the descriptor of a stream socket. Linux alone.</summary>
    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    internal void Connected(int descriptor, AddressFamily family, string target) =>
        Apply(KindsOf(family), setting => setting.Apply(descriptor, target), connected: true);

    /// <summary>What has to be set on a stream socket before it is bound. Linux alone.</summary>
    /// <remarks>
    /// With a bind to port 0 alone, the kernel would choose a port that no other socket of this address has, whatever its peer: 28,232
    /// connections would be all (ip(7), IP_BIND_ADDRESS_NO_PORT). A port that is asked for may have had a connection that is in TIME_WAIT.
    /// </remarks>
    private (int Level, int Option) BeforeBind => LocalPort == 0
        ? (Libc.IPLevel, Libc.BindAddressNoPortOption)
        : (Libc.SocketLevel, Libc.ReuseAddressOption);

    private IPEndPoint LocalOf(AddressFamily family) =>
        new(LocalAddress ?? (family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any), LocalPort);

    private static string BoundTo(IPEndPoint local) => local.Port == 0 ? local.Address.ToString() : local.ToString();

    private void ValidateFamily(Endpoint endpoint)
    {
        const AddressFamily IPv4 = AddressFamily.InterNetwork;
        const AddressFamily IPv6 = AddressFamily.InterNetworkV6;
        if (Family is not (null or IPv4 or IPv6))
        {
            throw new ArgumentException($"Family is {nameof(AddressFamily.InterNetwork)} or {nameof(AddressFamily.InterNetworkV6)}");
        }

        string? unused = !endpoint.IsUnix ? null
            : LocalAddress is not null ? "LocalAddress has no effect"
            : LocalPort != 0 ? "LocalPort has no effect"
            : Family is not null ? "Family has no effect" : null;
        if (unused is not null)
        {
            throw new ArgumentException($"{unused} on {endpoint}: it is for TCP and UDP");
        }

        if (LocalAddress is { } local && !Takes(local.AddressFamily))
        {
            throw new ArgumentException($"LocalAddress {local} is not of the family that is asked for, {Words(Family!.Value)}");
        }

        if (endpoint.Address is { } address && !Takes(address.AddressFamily))
        {
            throw new ArgumentException($"{endpoint} is not of the family that is asked for, {Words(FamilyAsked!.Value)}");
        }
    }

    /// <summary>The family as people say it.</summary>
    internal static string Words(AddressFamily family) => family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";

    private static SocketKinds KindsOf(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => SocketKinds.Tcp4,
        AddressFamily.InterNetworkV6 => SocketKinds.Tcp6,
        _ => SocketKinds.UnixStream,
    };

    private void Apply(SocketKinds kinds, Func<SocketOptionSetting, SocketOptionOutcome> apply, bool connected)
    {
        foreach (SocketOptionSetting setting in SocketOptions)
        {
            bool now = connected == (setting.Option.When == SocketOptionTime.Connected);
            if (now && (setting.Option.Kinds & kinds) != 0)
            {
                SocketOptionOutcome outcome = apply(setting);
                SocketOptionSet?.Invoke(outcome);
            }
        }
    }
}
