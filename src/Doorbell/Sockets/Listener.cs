using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;
using Doorbell.SocketOptions;
using Doorbell.Sockets;

namespace Doorbell;

/// <summary>
/// Waits at endpoints for a program that carries the connections itself, one after the other: the counterpart of <see cref="Connector"/>.
/// A <see cref="Server"/> carries any number of them.
/// </summary>
/// <remarks>One caller at a time; any thread may dispose it.</remarks>
public sealed class Listener : IDisposable
{
    private readonly List<DoorSocket> _bound;

    /// <summary>An accept under way at each of the listeners. One that has ended keeps its connection for the next caller.</summary>
    private readonly Task<Socket>?[] _accepts;
    private int _disposed;

    private Listener(List<DoorSocket> bound)
    {
        _bound = bound;
        _accepts = new Task<Socket>?[bound.Count];
        Endpoints = [.. bound.Select(static socket => socket.Door.Endpoint)];
        Sockets = [.. bound.Select(static socket => socket.Socket)];
        SocketOptions = [.. bound.SelectMany(static socket => socket.Options)];
    }

    /// <summary>Where it waits, with the actual addresses and ports: a name may stand for several.</summary>
    public IReadOnlyList<Endpoint> Endpoints { get; }

    /// <summary>The bound sockets, one for each of <see cref="Endpoints"/>; those of datagrams are the caller's to receive from.</summary>
    public IReadOnlyList<Socket> Sockets { get; }

    /// <summary>What the kernel made of the socket options asked for.</summary>
    public IReadOnlyList<SocketOptionOutcome> SocketOptions { get; }

    /// <summary>Binds every endpoint, and listens where they are of streams.</summary>
    /// <param name="endpoints">As a server has them: a name may stand for several sockets, and a socket that was passed is used.</param>
    /// <param name="options">Socket options beyond Doorbell's own.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ArgumentException">An option has no effect on any of them.</exception>
    /// <exception cref="NetworkException">An endpoint can't be resolved or bound, or the kernel refuses an option.</exception>
    public static async Task<Listener> BindAsync(
        IReadOnlyList<Endpoint> endpoints, IReadOnlyList<SocketOptionSetting> options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(options);

        // What is done with the bytes is the caller's matter; the service only says that both streams and datagrams may come.
        DoorOptions[] doors = [.. endpoints.Select(static each => new DoorOptions { Endpoint = each, Service = ClassicServices.Discard })];
        ListenOptions listen = new(Backlog: null, ReusePort: false, options);
        Binding binding = new(doors, listen, ServerModel.Async, takeover: null, mayLeaveDoors: false);
        return new Listener(await binding.BindAllAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>Waits for the next connection, at any of the endpoints.</summary>
    /// <param name="cancellation">Gives up; whoever connects in that moment is the next caller's.</param>
    /// <returns>The connection, which the caller owns.</returns>
    /// <exception cref="InvalidOperationException">The endpoints are of datagrams.</exception>
    /// <exception cref="NetworkException">The listener has failed, or the kernel refuses an option for the connection.</exception>
    public async Task<Socket> AcceptAsync(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (_bound.Exists(static socket => !socket.IsListener))
        {
            throw new InvalidOperationException("Datagrams come without a connection: receive from the Sockets.");
        }

        while (true)
        {
            for (int i = 0; i < _accepts.Length; i++)
            {
                _accepts[i] ??= _bound[i].Socket.AcceptAsync(CancellationToken.None).AsTask();
            }

            Task first = await Task.WhenAny(_accepts!).WaitAsync(cancellation).ConfigureAwait(false);
            int at = Array.IndexOf(_accepts, first);
            (Task<Socket> accept, _accepts[at]) = (_accepts[at]!, null);
            try
            {
                return WithOptions(await accept.ConfigureAwait(false), _bound[at]);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // It was reset before it was accepted (accept(2), ECONNABORTED).
            }
            catch (SocketException failure)
            {
                throw NetworkException.From("accept", _bound[at].Door.Endpoint.ToString(), failure);
            }
        }
    }

    /// <summary>Who a connection comes from.</summary>
    /// <param name="connection">As <see cref="AcceptAsync"/> gave it.</param>
    /// <returns>No address if it has been reset meanwhile.</returns>
    public static PeerAddress PeerOf(Socket connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        try
        {
            return connection.RemoteEndPoint switch
            {
                IPEndPoint ip => PeerAddress.From(ip),
                UnixEndPoint unix => PeerAddress.FromUnix(unix.Path),
                _ => PeerAddress.FromUnix(null),
            };
        }
        catch (SocketException)
        {
            return default;
        }
    }

    /// <summary>Closes the sockets, and removes the file of a unix socket. Who has connected and was not accepted is reset.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _bound.ForEach(static socket => socket.Close());
        foreach (Task<Socket>? accept in _accepts)
        {
            accept?.ContinueWith(
                static ended => ended.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }

    private static Socket WithOptions(Socket connection, DoorSocket listener)
    {
        try
        {
            foreach (SocketOptionSetting setting in listener.AcceptedOptions)
            {
                _ = setting.Apply(connection, listener.Door.Endpoint.ToString());
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
