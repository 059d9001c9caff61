using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Sockets;

/// <summary>
/// Finds at the start what the kernel would refuse to every connection. Some options can be set on a connection alone, such as TCP_ULP:
/// they are tried on a connection of this process with itself.
/// </summary>
internal static class TrialConnection
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    /// <exception cref="NetworkException">The kernel refuses an option to a connection.</exception>
    public static async Task RequireOptionsAsync(IReadOnlyList<DoorSocket> sockets, CancellationToken cancellation)
    {
        foreach (DoorSocket door in sockets.Where(static bound => bound.AcceptedOptions.Length > 0)
            .DistinctBy(static bound => bound.Socket.AddressFamily))
        {
            AddressFamily family = door.Socket.AddressFamily;
            ProtocolType protocol = family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp;
            using Socket listener = new(family, SocketType.Stream, protocol);
            using Socket client = new(family, SocketType.Stream, protocol);
            using Socket? accepted = await AcceptAsync(listener, client, cancellation).ConfigureAwait(false);
            foreach (SocketOptionSetting setting in accepted is null ? [] : door.AcceptedOptions)
            {
                _ = setting.Apply(accepted!, door.Door.Endpoint.ToString());
            }
        }
    }

    /// <summary>Null where this process can't connect to itself: then the server's first connection tells.</summary>
    private static async Task<Socket?> AcceptAsync(Socket listener, Socket client, CancellationToken cancellation)
    {
        if (listener.AddressFamily == AddressFamily.Unix && !OperatingSystem.IsLinux())
        {
            return null; // elsewhere a unix socket's name is a file
        }

        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(_patience);
        try
        {
            listener.Bind(listener.AddressFamily switch
            {
                AddressFamily.Unix => new UnixDomainSocketEndPoint($"\0doorbell-trial-{Guid.NewGuid():N}"),
                AddressFamily.InterNetworkV6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
                _ => new IPEndPoint(IPAddress.Loopback, 0),
            });
            listener.Listen(1);
            await client.ConnectAsync(listener.LocalEndPoint!, enough.Token).ConfigureAwait(false);
            return await listener.AcceptAsync(enough.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }
}
