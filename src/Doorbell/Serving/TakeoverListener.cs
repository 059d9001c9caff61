using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>
/// The old server's side of a takeover: waits at a unix socket for the next server, gives it the listening sockets (SCM_RIGHTS), and
/// when that serves them, drains. A newcomer that dies at any moment before leaves this server as it was.
/// </summary>
internal sealed class TakeoverListener : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Endpoint _endpoint;
    private readonly IReadOnlyList<DoorSocket> _sockets;
    private readonly Shutdown _shutdown;
    private readonly ILogger _log;
    private readonly Backoff _backoff = new();
    private DoorSocket _listener;

    /// <exception cref="NetworkException">The path can't be had.</exception>
    public TakeoverListener(string path, IReadOnlyList<DoorSocket> sockets, Shutdown shutdown, ILogger log)
    {
        _sockets = sockets;
        _shutdown = shutdown;
        _log = log;
        _endpoint = Endpoint.Unix(Transport.Unix, path);
        _listener = Listen();
    }

    /// <summary>Waits for a server that takes over; null if this one stops accepting first, or has lost the path.</summary>
    /// <returns>The new server's process.</returns>
    public async Task<int?> RunAsync()
    {
        try
        {
            while (true)
            {
                using Socket connection = await AcceptAsync().ConfigureAwait(false);
                if (await Task.Run(() => HandOver(connection)).ConfigureAwait(false) is { } process)
                {
                    return process;
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            return null;
        }
        catch (NetworkException lost)
        {
            ServerLog.NoTakeover(_log, lost.Message);
            return null;
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        if (_listener.Socket.SafeHandle.IsClosed)
        {
            return;
        }

        try
        {
            // A process that is being started has it too, until it runs: nobody is to take that for a server.
            _listener.Socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // It is closed all the same.
        }

        _listener.Socket.Dispose();
        UnixSocketFile.RemoveIfStale(_endpoint);
    }

    /// <exception cref="NetworkException">The path can't be had.</exception>
    private DoorSocket Listen() => UnixBinding.Bind(_endpoint, ListenOptions.Default with { SocketFile = SocketFileOptions.Private });

    /// <summary>A shortage, of descriptors above all, passes: whoever is to take over must find this server then.</summary>
    private async Task<Socket> AcceptAsync()
    {
        while (true)
        {
            try
            {
                return await _listener.Socket.AcceptAsync(_shutdown.AcceptingStopped).ConfigureAwait(false);
            }
            catch (SocketException failure)
            {
                if (_backoff.MayLog())
                {
                    ServerLog.AcceptFailed(_log, NetworkException.From("accept", $"{_endpoint}", failure).Message);
                }

                await _backoff.WaitAsync(_shutdown.AcceptingStopped).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The process that serves from now on; null if it does not.</summary>
    /// <exception cref="NetworkException">It does not, and has left us without the path.</exception>
    private int? HandOver(Socket connection)
    {
        connection.SendTimeout = connection.ReceiveTimeout = (int)_patience.TotalMilliseconds;
        int descriptor = (int)connection.SafeHandle.DangerousGetHandle();
        if (DescriptorPassing.PeerOf(descriptor) is not { } peer || (peer.User != 0 && peer.User != DescriptorPassing.geteuid()))
        {
            ServerLog.TakeoverRefused(_log, _endpoint, "it is another user's process");
            return null;
        }

        if (!SendAll(descriptor) || DescriptorPassing.Receive(descriptor, []) != TakeoverMessages.Ready)
        {
            ServerLog.TakeoverRefused(_log, _endpoint, $"process {peer.Process} ended before it served");
            return null;
        }

        // The newcomer serves, and so do we until it has the path.
        Dispose();
        _ = DescriptorPassing.TrySend(descriptor, TakeoverMessages.GoneFromPath, []);
        if (DescriptorPassing.Receive(descriptor, []) != TakeoverMessages.Serving && ProcessEnd.Wait(peer.Process, _patience))
        {
            ServerLog.TakeoverRefused(_log, _endpoint, $"process {peer.Process} ended when it had begun to serve");
            _listener = Listen();
            return null;
        }

        // From here on we stop accepting, and answer what is in flight.
        _shutdown.HandOver();
        ServerLog.HandedOver(_log, peer.Process);
        return peer.Process;
    }

    private bool SendAll(int connection)
    {
        foreach (DoorSocket[] lot in _sockets.Chunk(DescriptorPassing.MaxAtOnce))
        {
            // Once this server stops accepting it closes them, and their numbers may be others' then.
            if (_shutdown.AcceptingStopped.IsCancellationRequested
                || DescriptorPassing.TrySend(connection, TakeoverMessages.MoreSockets, [.. lot.Select(static of => of.Descriptor)]) != 0)
            {
                return false;
            }
        }

        return DescriptorPassing.TrySend(connection, TakeoverMessages.LastSocket, []) == 0;
    }
}
