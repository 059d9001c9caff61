using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell;

/// <summary>How a client makes its sockets.</summary>
public sealed record ClientOptions
{
    /// <summary>Nothing out of the ordinary.</summary>
    public static ClientOptions Default { get; } = new();

    /// <summary>
    /// Socket options beyond Doorbell's own, which they override, set before bind and connect or after, as each has to be, on every
    /// socket that it has an effect on. Default none.
    /// </summary>
    public IReadOnlyList<SocketOptionSetting> SocketOptions { get; init; } = [];

    /// <summary>
    /// Is told what the kernel made of each option, once for each socket tried, perhaps on several threads at once; null for nobody.
    /// </summary>
    public Action<SocketOptionOutcome>? SocketOptionSet { get; init; }

    /// <exception cref="ArgumentException">An option has no effect on any socket to the endpoint.</exception>
    internal void RequireUse(Endpoint endpoint)
    {
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

    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    internal void BeforeConnect(Socket socket, string target) => Apply(socket, target, connected: false);

    /// <exception cref="NetworkException">The kernel refuses one.</exception>
    internal void Connected(Socket socket, string target) => Apply(socket, target, connected: true);

    private void Apply(Socket socket, string target, bool connected)
    {
        if (SocketOptions.Count == 0)
        {
            return;
        }

        SocketKinds kinds = SocketKindsOf.Socket(socket);
        foreach (SocketOptionSetting setting in SocketOptions)
        {
            bool now = connected == (setting.Option.When == SocketOptionTime.Connected);
            if (now && (setting.Option.Kinds & kinds) != 0)
            {
                SocketOptionOutcome outcome = setting.Apply(socket, target);
                SocketOptionSet?.Invoke(outcome);
            }
        }
    }
}
