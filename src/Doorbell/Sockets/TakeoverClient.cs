using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>
/// The new server's side of a takeover: asks the old one, over a unix socket, for its listening sockets, and tells it when they are
/// served. Until then the old one serves on, so that there is no moment without a server.
/// </summary>
internal sealed class TakeoverClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Socket _old;
    private readonly string _path;

    private TakeoverClient(Socket old, string path, int process, List<DoorSocket> sockets)
    {
        _old = old;
        _path = path;
        Process = process;
        Sockets = sockets;
    }

    /// <summary>The old server's process.</summary>
    public int Process { get; }

    /// <summary>What it served, listening already.</summary>
    public List<DoorSocket> Sockets { get; }

    /// <summary>Null if nobody serves the path.</summary>
    /// <exception cref="NetworkException">Whoever serves it hands nothing over, or this is not Linux.</exception>
    public static TakeoverClient? Ask(string path, ListenOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new NetworkException(
                "take over", $"unix://{PrintableText.Escape(path)}", "this needs Linux", SocketError.OperationNotSupported,
                "start the server without a takeover path");
        }

        Socket old = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            old.SendTimeout = old.ReceiveTimeout = (int)_patience.TotalMilliseconds;
            old.Connect(new UnixEndPoint(path));
        }
        catch (SocketException nobody) when (
            nobody.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            old.Dispose();
            return null;
        }
        catch (SocketException failure)
        {
            old.Dispose();
            throw NetworkException.From("connect", $"unix://{PrintableText.Escape(path)}", failure);
        }

        return Receive(old, path, options);
    }

    /// <summary>The sockets are served: the old server may drain. Returns when it has made way for us at the path.</summary>
    /// <exception cref="NetworkException">It has not.</exception>
    public void Ready()
    {
        int descriptor = (int)_old.SafeHandle.DangerousGetHandle();
        if (DescriptorPassing.TrySend(descriptor, TakeoverMessages.Ready, []) != 0
            || DescriptorPassing.Receive(descriptor, []) != TakeoverMessages.GoneFromPath)
        {
            throw Silent(_path);
        }
    }

    public void Dispose() => _old.Dispose();

    private static TakeoverClient Receive(Socket old, string path, ListenOptions options)
    {
        // Where others may make files, the path may be anybody's, who would keep the listeners that he hands over.
        int connection = (int)old.SafeHandle.DangerousGetHandle();
        if (DescriptorPassing.PeerOf(connection) is not { } server || (server.User != 0 && server.User != DescriptorPassing.geteuid()))
        {
            old.Dispose();
            throw new NetworkException(
                "take over", $"unix://{PrintableText.Escape(path)}", "another user serves it", SocketError.AccessDenied,
                "start this server as the user of the old one, or choose a path in a folder of your own");
        }

        List<int> descriptors = [];
        int what;
        do
        {
            what = DescriptorPassing.Receive(connection, descriptors);
        }
        while (what == TakeoverMessages.MoreSockets);

        if (what != TakeoverMessages.LastSocket)
        {
            old.Dispose();
            throw Silent(path);
        }

        IEnumerable<DoorSocket> sockets = descriptors
            .Select(descriptor => InheritedSocket.Adopt(descriptor, "a socket of the old server", options) with { IsPassed = false });
        return new TakeoverClient(old, path, server.Process, [.. sockets]);
    }

    private static NetworkException Silent(string path) => new(
        "take over", $"unix://{PrintableText.Escape(path)}", "the server there hands nothing over", SocketError.ConnectionAborted,
        "look whether it is a Doorbell server of the same user, with the same ServerOptions.TakeoverPath");
}
