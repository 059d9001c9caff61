using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.Clients;
using Doorbell.Native;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell;

/// <summary>Connects to endpoints: every address of a name is tried, IPv6 and IPv4 in turn, so that a broken one costs little.</summary>
public static class Connector
{
    /// <summary>
    /// How long an attempt has for itself before the next address is tried beside it: RFC 8305 section 5's recommended
    /// Connection Attempt Delay.
    /// </summary>
    private static readonly TimeSpan _attemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Connects a stream socket.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The connected socket; the caller owns it.</returns>
    /// <exception cref="NetworkException">It can't be resolved, or no address answered; the message lists each and why.</exception>
    /// <exception cref="ArgumentException">The endpoint carries datagrams.</exception>
    public static Task<Socket> ConnectAsync(Endpoint endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        ConnectAsync(endpoint, timeout, ClientOptions.Default, cancellation);

    /// <summary>Connects a stream socket.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="options">How to make the sockets.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The connected socket; the caller owns it.</returns>
    /// <exception cref="NetworkException">
    /// It can't be resolved, no address answered, or the kernel refuses an option; the message lists each and why.
    /// </exception>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option has no effect on it.</exception>
    public static Task<Socket> ConnectAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation) =>
        ConnectAsync(endpoint, timeout, options, static _ => true, cancellation);

    /// <summary>Connects a stream socket through proxies.</summary>
    /// <param name="endpoint">A TCP endpoint, whose name the last proxy resolves.</param>
    /// <param name="timeout">Bounds all together.</param>
    /// <param name="options">How to make the socket, which is connected to the first proxy.</param>
    /// <param name="via">The proxies; the first one is connected, and each connects to the next.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The connected socket; the caller owns it. No byte of the server's has been received.</returns>
    /// <exception cref="NetworkException">The first proxy can't be connected, or one of them refuses; the message says which.</exception>
    /// <exception cref="ArgumentException">The endpoint is no TCP server's, or an option has no effect.</exception>
    public static async Task<Socket> ConnectAsync(
        Endpoint endpoint,
        TimeSpan timeout,
        ClientOptions options,
        IReadOnlyList<TunnelProxy> via,
        CancellationToken cancellation)
    {
        if (via.Count == 0)
        {
            return await ConnectAsync(endpoint, timeout, options, cancellation).ConfigureAwait(false);
        }

        // What is wrong with the target is said before anything is connected.
        TunnelOpening opening = new(via, endpoint);
        long began = Stopwatch.GetTimestamp();
        Socket socket = await ConnectAsync(via[0].Endpoint, timeout, options, cancellation).ConfigureAwait(false);
        try
        {
            TimeSpan left = timeout == Timeout.InfiniteTimeSpan ? timeout : timeout - Stopwatch.GetElapsedTime(began);
            await TunnelDialer.OpenAsync(socket, opening, endpoint, timeout, left, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="endpoint">As above.</param>
    /// <param name="timeout">As above.</param>
    /// <param name="options">As above.</param>
    /// <param name="admits">Which addresses may be connected: the others count as refused (EACCES).</param>
    /// <param name="cancellation">As above.</param>
    internal static async Task<Socket> ConnectAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, Func<PeerAddress, bool> admits, CancellationToken cancellation)
    {
        if (!endpoint.IsStream)
        {
            throw new ArgumentException($"{endpoint} carries datagrams, which need no connection.", nameof(endpoint));
        }

        options.Validate(endpoint);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        Attempts attempts = new(endpoint, timeout, options, cancellation, deadline.Token);
        EndPoint[] addresses = endpoint.IsUnix
            ? [new UnixEndPoint(endpoint.Path!)]
            : await ResolveAsync(endpoint, timeout, options, cancellation, deadline.Token).ConfigureAwait(false);
        return await attempts.ConnectAsync(addresses, admits).ConfigureAwait(false);
    }

    /// <summary>An endpoint's addresses, in the order they should be tried.</summary>
    /// <param name="endpoint">Of any kind.</param>
    /// <param name="timeout">Bounds resolving.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>At least one.</returns>
    /// <exception cref="NetworkException">It can't be resolved.</exception>
    public static Task<EndPoint[]> AddressesAsync(Endpoint endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        AddressesAsync(endpoint, timeout, ClientOptions.Default, cancellation);

    /// <summary>An endpoint's addresses that a socket can be connected to, in the order they should be tried.</summary>
    /// <param name="endpoint">Of any kind.</param>
    /// <param name="timeout">Bounds resolving.</param>
    /// <param name="options">How the sockets are made: <see cref="ClientOptions.Family"/> leaves addresses out.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>At least one.</returns>
    /// <exception cref="NetworkException">It can't be resolved, or no address is of the family.</exception>
    /// <exception cref="ArgumentException">An option has no effect on the endpoint.</exception>
    public static async Task<EndPoint[]> AddressesAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation)
    {
        options.Validate(endpoint);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        return endpoint.IsUnix
            ? [new UnixEndPoint(endpoint.Path!)]
            : await ResolveAsync(endpoint, timeout, options, cancellation, deadline.Token).ConfigureAwait(false);
    }

    /// <summary>An endpoint's addresses where no resolver has to be asked: a path, a literal address, <c>localhost</c>.</summary>
    internal static bool TryAddresses(Endpoint endpoint, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out EndPoint[]? addresses)
    {
        addresses = endpoint.IsUnix
            ? [new UnixEndPoint(endpoint.Path!)]
            : Resolver.TryLocally(endpoint) is { } known ? [.. known.Select(address => new IPEndPoint(address, endpoint.Port))] : null;
        return addresses is not null;
    }

    /// <summary>
    /// Connects a datagram socket, which sends nothing: the kernel only chooses a route, our port, and whose datagrams it passes.
    /// To a multicast group the socket is not connected, since its members answer from addresses of their own, and to a broadcast address
    /// neither, unless the options set SO_BROADCAST to 0: send with SendTo there.
    /// </summary>
    /// <param name="endpoint">The endpoint asked for, to name in errors.</param>
    /// <param name="address">One of its addresses.</param>
    /// <returns>The socket; the caller owns it.</returns>
    /// <exception cref="NetworkException">There is no route.</exception>
    public static Socket ConnectDatagrams(Endpoint endpoint, EndPoint address) =>
        ConnectDatagrams(endpoint, address, ClientOptions.Default);

    /// <summary>
    /// Connects a datagram socket, which sends nothing: the kernel only chooses a route, our port, and whose datagrams it passes.
    /// To a multicast group the socket is not connected, since its members answer from addresses of their own, and to a broadcast address
    /// neither, unless the options set SO_BROADCAST to 0: send with SendTo there.
    /// </summary>
    /// <param name="endpoint">The endpoint asked for, to name in errors.</param>
    /// <param name="address">One of its addresses.</param>
    /// <param name="options">How to make the socket.</param>
    /// <returns>The socket; the caller owns it.</returns>
    /// <exception cref="NetworkException">There is no route, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">An option has no effect on such a socket.</exception>
    public static Socket ConnectDatagrams(Endpoint endpoint, EndPoint address, ClientOptions options)
    {
        options.Validate(endpoint);
        string operation = "socket";
        try
        {
            return DatagramSocket.Connect(endpoint, address, options, ref operation);
        }
        catch (SocketException failure)
        {
            throw NetworkException.From(operation, endpoint.ToString(), failure);
        }
    }

    /// <summary>
    /// RFC 8305 section 4: the families take turns, the resolver's first choice first (we prefer no family beyond that).
    /// </summary>
    internal static IPAddress[] Interleave(IPAddress[] addresses)
    {
        IPAddress[] first = [.. addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily)];
        IPAddress[] second = [.. addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily)];
        List<IPAddress> order = [];
        for (int i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            order.AddRange(first.Skip(i).Take(1));
            order.AddRange(second.Skip(i).Take(1));
        }

        return [.. order];
    }

    internal static async Task<EndPoint[]> ResolveAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation, CancellationToken deadline)
    {
        try
        {
            IPAddress[] all = await Resolver.ResolveAsync(endpoint, deadline).ConfigureAwait(false);
            IPAddress[] addresses = [.. all.Where(address => options.Takes(address.AddressFamily))];
            if (addresses.Length == 0)
            {
                string other = ClientOptions.Words(all[0].AddressFamily);
                string what = $"{endpoint.Host} has {other} addresses alone, and the other family is asked for";
                throw new NetworkException("resolve", endpoint.ToString(), what, SocketError.NoData);
            }

            return [.. Interleave(addresses).Select(address => new IPEndPoint(address, endpoint.Port))];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            string target = endpoint.ToString();
            throw new NetworkException(
                "resolve",
                target,
                $"no answer within {timeout.TotalSeconds:0.###} s",
                SocketError.TimedOut,
                Advice.For("resolve", SocketError.TryAgain, target));
        }
    }

    /// <summary>The race of one connect: attempts start one after the other, run side by side, and the first that connects wins.</summary>
    private sealed class Attempts(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation, CancellationToken deadline)
    {
        private readonly List<(EndPoint Address, SocketException Why)> _failures = [];

        public async Task<Socket> ConnectAsync(EndPoint[] resolved, Func<PeerAddress, bool> admits)
        {
            ILookup<bool, EndPoint> admitted = resolved.ToLookup(address => address is not IPEndPoint ip || admits(PeerAddress.From(ip)));
            _failures.AddRange(admitted[false].Select(static address => (address, new SocketException((int)SocketError.AccessDenied))));
            EndPoint[] addresses = [.. admitted[true]];
            using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(deadline);
            List<(EndPoint Address, Task<Socket> Attempt)> running = [];
            int next = 0;
            try
            {
                while (next < addresses.Length || running.Count > 0)
                {
                    if (next < addresses.Length)
                    {
                        EndPoint address = addresses[next++];
                        running.Add((address, AttemptAsync(address, over.Token)));
                    }

                    if (await FirstAsync(running, next < addresses.Length).ConfigureAwait(false) is { } connected)
                    {
                        return connected;
                    }
                }

                throw Failure();
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                _failures.AddRange(running.Select(static attempt => (attempt.Address, new SocketException((int)SocketError.TimedOut))));
                throw Failure();
            }
            finally
            {
                await over.CancelAsync().ConfigureAwait(false);
                running.ForEach(static attempt => attempt.Attempt.ContinueWith(
                    static late => late.Result.Dispose(),
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion,
                    TaskScheduler.Default));
            }
        }

        private async Task<Socket> AttemptAsync(EndPoint address, CancellationToken over)
        {
            bool unix = address.AddressFamily == AddressFamily.Unix;
            Socket socket = new(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
            try
            {
                if (!unix)
                {
                    // A question leaves in one write; Nagle's algorithm could only delay it.
                    socket.NoDelay = true;
                }

                options.BeforeConnect(socket, endpoint.ToString());
                await socket.ConnectAsync(address, over).ConfigureAwait(false);
                options.Connected(socket, endpoint.ToString());
                return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        /// <summary>Waits for an attempt to end, or for the time of the next one; null if none has connected.</summary>
        private async Task<Socket?> FirstAsync(List<(EndPoint Address, Task<Socket> Attempt)> running, bool moreToTry)
        {
            while (running.Count > 0)
            {
                Task wait = Task.Delay(moreToTry ? _attemptDelay : Timeout.InfiniteTimeSpan, deadline);
                Task ended = await Task.WhenAny(running.Select(static attempt => (Task)attempt.Attempt).Append(wait)).ConfigureAwait(false);
                if (ended == wait)
                {
                    await wait.ConfigureAwait(false);
                    return null;
                }

                int index = running.FindIndex(attempt => attempt.Attempt == ended);
                (EndPoint address, Task<Socket> attempt) = running[index];
                try
                {
                    Socket connected = await attempt.ConfigureAwait(false);
                    running.RemoveAt(index);
                    return connected;
                }
                catch (SocketException why)
                {
                    running.RemoveAt(index);
                    _failures.Add((address, why));
                }

                if (moreToTry)
                {
                    return null;
                }
            }

            return null;
        }

        private NetworkException Failure()
        {
            SocketException last = _failures[^1].Why;
            string target = endpoint.ToString();
            bool timedOut = last.SocketErrorCode == SocketError.TimedOut;
            if (_failures.Count == 1 && !timedOut)
            {
                return NetworkException.From("connect", target, last);
            }

            string what = _failures.Count == 1
                ? $"no answer within {timeout.TotalSeconds:0.###} s"
                : "no address answered: " + string.Join(
                    ", ", _failures.Select(static failure => $"{failure.Address}: {NetworkException.Answer(failure.Why)}"));
            string? advice = Advice.For("connect", last.SocketErrorCode, target);
            return new NetworkException("connect", target, what, last.SocketErrorCode, advice, last);
        }
    }
}
