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
    /// name's addresses those of the other family then can't be connected. Default null: the kernel chooses.
    /// </summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>
    /// Is told what the kernel made of each option, once for each socket tried, perhaps on several threads at once; null for nobody.
    /// </summary>
    public Action<SocketOptionOutcome>? SocketOptionSet { get; init; }

    /// <summary>Whether SO_BROADCAST is asked for: without it the kernel sends nothing to a broadcast address.</summary>
    internal bool AllowsBroadcast =>
        SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_BROADCAST") is { Asked: "1" };

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An option, or the address, has no effect on any socket to the endpoint.</exception>
    public override void Validate(Endpoint endpoint)
    {
        if (LocalAddress is not null && endpoint.IsUnix)
        {
            throw new ArgumentException($"LocalAddress has no effect on {endpoint}: it is for TCP and UDP");
        }

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

    /// <exception cref="NetworkException">The kernel refuses an option or the address.</exception>
    internal void BeforeConnect(Socket socket, string target)
    {
        Apply(SocketKindsOf.Socket(socket), setting => setting.Apply(socket, target), connected: false);
        if (LocalAddress is null)
        {
            return;
        }

        try
        {
            if (OperatingSystem.IsLinux() && socket.SocketType == SocketType.Stream)
            {
                socket.SetRawSocketOption(Libc.IPLevel, Libc.BindAddressNoPortOption, BitConverter.GetBytes(1));
            }

            socket.Bind(new IPEndPoint(LocalAddress, 0));
        }
        catch (SocketException refused)
        {
            throw NetworkException.From("bind", LocalAddress.ToString(), refused);
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
        if (LocalAddress is null)
        {
            return;
        }

        // With a bind to port 0 alone, the kernel would choose a port that no other socket of this address has, whatever its peer:
        // 28,232 connections would be all (ip(7), IP_BIND_ADDRESS_NO_PORT).
        int on = 1;
        _ = Libc.setsockopt(descriptor, Libc.IPLevel, Libc.BindAddressNoPortOption, &on, sizeof(int));
        SocketAddress address = new IPEndPoint(LocalAddress, 0).Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Libc.bind(descriptor, bytes, address.Size) != 0)
            {
                throw NetworkException.FromErrno("bind", LocalAddress.ToString(), Marshal.GetLastPInvokeError());
            }
        }
    }

    /// <summary>As <see cref="Connected(Socket, string)"/>, on the descriptor of a stream socket. Linux alone.</summary>
    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    internal void Connected(int descriptor, AddressFamily family, string target) =>
        Apply(KindsOf(family), setting => setting.Apply(descriptor, target), connected: true);

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
