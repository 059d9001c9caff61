using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>
/// The new server's side of a takeover: asks the old one, over a unix socket, for its listening sockets, and tells it when they are
/// served. Until then the old one serves on, so that there is no moment without a server. An old server that dies meanwhile changes
/// nothing: what it had sent by then is served, and the rest is bound anew.
/// </summary>
internal sealed class TakeoverClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How often a path is tried at which somebody hangs up. A process that the old server was just starting when it died may hold its
    /// socket for a moment.
    /// </summary>
    private const int MaxTries = 10;
    private static readonly TimeSpan _betweenTries = TimeSpan.FromMilliseconds(200);

    private readonly Socket _old;
    private readonly string _path;

    private TakeoverClient(Socket old, string path, int process)
    {
        _old = old;
        _path = path;
        Process = process;
    }

    /// <summary>The old server's process.</summary>
    public int Process { get; }

    /// <summary>What it served, listening already. <see cref="Binding"/> uses or closes them.</summary>
    public List<DoorSocket> Sockets { get; } = [];

    /// <summary>The old server died before it had sent all its sockets.</summary>
    public bool IsDead { get; private set; }

    private int Connection => (int)_old.SafeHandle.DangerousGetHandle();

    /// <summary>Null if nobody serves the path.</summary>
    /// <exception cref="NetworkException">Whoever serves it hands nothing over, or this is not Linux.</exception>
    /// <param name="path">Where.</param>
    /// <param name="options">What is to be set on its sockets still.</param>
    /// <param name="metDying">A server was there and has died. What it had may be held by a process that it was just starting.</param>
    public static TakeoverClient? Ask(string path, ListenOptions options, out bool metDying)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new NetworkException(
                "take over", $"unix://{PrintableText.Escape(path)}", "this needs Linux", SocketError.OperationNotSupported,
                "start the server without a takeover path");
        }

        metDying = false;
        for (int tried = 1; Connect(path) is { } old; tried++)
        {
            TakeoverClient client = new(old, path, ProcessAt(old, path));
            if (client.TryReceive(options))
            {
                metDying = client.IsDead;
                return client;
            }

            client.Dispose();
            if (tried == MaxTries)
            {
                throw client.Silent();
            }

            metDying = ProcessEnd.Wait(client.Process, _betweenTries);
        }

        return null;
    }

    /// <summary>The sockets are served. Returns when the old server has made way at the path, or is dead.</summary>
    /// <exception cref="NetworkException">It has given us up, and serves on.</exception>
    public void Ready()
    {
        if (IsDead || Says(TakeoverMessages.Ready, TakeoverMessages.GoneFromPath) || ProcessEnd.Wait(Process, _patience))
        {
            return;
        }

        throw Silent();
    }

    /// <summary>We serve, and have the path: the old server may drain. One that is dead need not be told.</summary>
    public void Serving() => _ = DescriptorPassing.TrySend(Connection, TakeoverMessages.Serving, []);

    public void Dispose() => _old.Dispose();

    private static Socket? Connect(string path)
    {
        Socket old = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            old.SendTimeout = old.ReceiveTimeout = (int)_patience.TotalMilliseconds;
            old.Connect(new UnixEndPoint(path));
            return old;
        }
        catch (SocketException failure)
        {
            old.Dispose();
            return failure.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable
                ? null
                : throw NetworkException.From("connect", $"unix://{PrintableText.Escape(path)}", failure);
        }
    }

    /// <summary>Where others may make files, the path may be anybody's, who would keep the listeners that he hands over.</summary>
    private static int ProcessAt(Socket old, string path)
    {
        if (DescriptorPassing.PeerOf((int)old.SafeHandle.DangerousGetHandle()) is { } server
            && (server.User == 0 || server.User == DescriptorPassing.geteuid()))
        {
            return server.Process;
        }

        old.Dispose();
        throw new NetworkException(
            "take over", $"unix://{PrintableText.Escape(path)}", "another user serves it", SocketError.AccessDenied,
            "start this server as the user of the old one, or choose a path in a folder of your own");
    }

    /// <summary>False if there was nothing to receive.</summary>
    private bool TryReceive(ListenOptions options)
    {
        List<int> descriptors = [];
        int what;
        do
        {
            what = DescriptorPassing.Receive(Connection, descriptors);
        }
        while (what == TakeoverMessages.MoreSockets);

        if (what != TakeoverMessages.LastSocket)
        {
            // Of a server that lives and says no more we keep nothing: it would drain without an heir, or serve beside us.
            IsDead = descriptors.Count > 0 && ProcessEnd.Wait(Process, _patience);
            if (!IsDead)
            {
                descriptors.ForEach(static descriptor => _ = Libc.close(descriptor));
                return false;
            }
        }

        Adopt(descriptors, options);
        return true;
    }

    /// <summary>All, or none: what has been received is closed if one can't be served.</summary>
    private void Adopt(List<int> descriptors, ListenOptions options)
    {
        try
        {
            foreach (int descriptor in descriptors)
            {
                Sockets.Add(InheritedSocket.Adopt(descriptor, "a socket of the old server", options) with { IsPassed = false });
            }
        }
        catch
        {
            descriptors.Skip(Sockets.Count).ToList().ForEach(static descriptor => _ = Libc.close(descriptor));
            Sockets.ForEach(static bound => bound.Socket.Dispose());
            _old.Dispose();
            throw;
        }
    }

    private bool Says(byte what, byte answer) => DescriptorPassing.TrySend(Connection, what, []) == 0
        && DescriptorPassing.Receive(Connection, []) == answer;

    private NetworkException Silent() => new(
        "take over", $"unix://{PrintableText.Escape(_path)}", "the server there hands nothing over", SocketError.ConnectionAborted,
        "look whether it is a Doorbell server of the same user, with the same ServerOptions.TakeoverPath");
}
