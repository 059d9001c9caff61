using System.Net;
using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Standard input and output joined to who sends datagrams to bound sockets. The first who does is the peer: the kernel then refuses all
/// others (connect(2) of a datagram socket). Or everyone is heard, and who was heard last is answered.
/// </summary>
internal sealed class ListenedDatagrams(Listener listener) : IDisposable
{
    /// <summary>More than any UDP datagram has: none is cut.</summary>
    private const int ReceiveBytes = ushort.MaxValue;
    private const int MaxAddressBytes = 128;

    /// <summary>So many senders are remembered.</summary>
    private const int MaxKnown = 1024;

    private readonly CancellationTokenSource _idle = new();
    private volatile From? _last;
    private readonly HashSet<PeerAddress> _known = [];
    private bool _hasToldOthers;

    /// <summary>It ends if no datagram moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Is told what is sent and what has come.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>Is told of each sender when its first datagram comes; where there are very many, of some again.</summary>
    public Action<Endpoint, PeerAddress>? Came { get; init; }

    /// <summary>Waits for the first datagram, which stays in its socket.</summary>
    /// <param name="timeout">How long; null for ever.</param>
    /// <returns>Who sent it, and where to; null if none came in time.</returns>
    public async Task<From?> FirstAsync(TimeSpan? timeout)
    {
        using CancellationTokenSource over = new();
        over.CancelAfter(timeout ?? Timeout.InfiniteTimeSpan);
        Task<From>[] peeks = [.. listener.Sockets.Select((socket, i) => PeekAsync(socket, listener.Endpoints[i], over.Token))];
        Task<From> first = await Task.WhenAny(peeks);
        await over.CancelAsync();
        await ((Task)Task.WhenAll(peeks)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            return await first;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("receive", string.Join(" and ", listener.Endpoints), failure);
        }
    }

    /// <summary>Joins both directions until the end, which only a time-out or a failure is.</summary>
    /// <param name="first">Who came first.</param>
    /// <param name="hearsAll">Whether everyone is heard.</param>
    /// <param name="input">What one read of it gives is a datagram. It is read once somebody has come.</param>
    /// <param name="output">Where the datagrams go.</param>
    /// <returns>What went wrong.</returns>
    public async Task<string?> JoinAsync(From first, bool hearsAll, JoinedInput input, StandardOutput output)
    {
        _last = first;
        TellOfNew(first.Endpoint, first.Peer);
        if (!hearsAll)
        {
            first.Connect();
            listener.Sockets.Where(socket => socket != first.Socket).ToList().ForEach(static socket => socket.Dispose());
        }

        Moved();
        TaskCompletionSource<string?> broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => SendInput(input, broken)) { IsBackground = true, Name = "standard input" }.Start();
        IEnumerable<Task<string?>> receiving = hearsAll
            ? listener.Sockets.Select((socket, i) => ReceiveAsync(socket, listener.Endpoints[i], only: null, output))
            : [ReceiveAsync(first.Socket, first.Endpoint, first, output)];
        return await await Task.WhenAny([broken.Task, .. receiving]);
    }

    public void Dispose() => _idle.Dispose();

    private static async Task<From> PeekAsync(Socket socket, Endpoint endpoint, CancellationToken over)
    {
        SocketAddress sender = new(socket.AddressFamily, MaxAddressBytes);
        _ = await socket.ReceiveFromAsync(new byte[ReceiveBytes], SocketFlags.Peek, sender, over);
        return new From(socket, endpoint, Read(sender), sender);
    }

    /// <summary>recvfrom(2) tells nothing of a unix socket that is bound to no name.</summary>
    private static PeerAddress Read(SocketAddress sender) =>
        sender.Size == 0 ? PeerAddress.FromUnix(null) : SocketAddressCodec.Read(sender);

    private void Moved() => _idle.CancelAfter(IdleTimeout ?? Timeout.InfiniteTimeSpan);

    /// <summary>Writes what comes; answers what went wrong.</summary>
    private async Task<string?> ReceiveAsync(Socket socket, Endpoint endpoint, From? only, StandardOutput output)
    {
        byte[] buffer = new byte[ReceiveBytes];
        while (true)
        {
            try
            {
                SocketAddress sender = new(socket.AddressFamily, MaxAddressBytes);
                int count = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, _idle.Token);
                PeerAddress peer = Read(sender);
                if (only is not null && peer != only.Peer)
                {
                    TellOfOther(peer, only);
                    continue;
                }

                Moved();
                TellOfNew(endpoint, peer);
                _last = only ?? new From(socket, endpoint, peer, sender);
                Transfers.Received(buffer.AsSpan(0, count));
                output.Write(buffer.AsSpan(0, count));
            }
            catch (OperationCanceledException)
            {
                return $"listen {endpoint}: no datagram moved for {IdleTimeout!.Value.TotalSeconds:0.###} s, so the socket was closed";
            }
            catch (SocketException failure)
            {
                return NetworkException.From("receive", only is null ? $"{endpoint}" : $"{endpoint} from {only.Peer}", failure).Message;
            }
        }
    }

    private void TellOfNew(Endpoint endpoint, PeerAddress peer)
    {
        lock (_known)
        {
            if (_known.Contains(peer))
            {
                return;
            }

            if (_known.Count == MaxKnown)
            {
                _known.Clear();
            }

            _known.Add(peer);
        }

        Came?.Invoke(endpoint, peer);
    }

    /// <summary>What had come before the first datagram was looked at is still in the socket, whoever sent it.</summary>
    private void TellOfOther(PeerAddress other, From first)
    {
        if (!_hasToldOthers)
        {
            _hasToldOthers = true;
            Failure.Post(
                $"{first.Endpoint}: datagrams of others are dropped, since {first.Peer} came first, as one from {other}; --keep takes all");
        }
    }

    private void SendInput(JoinedInput input, TaskCompletionSource<string?> broken)
    {
        try
        {
            byte[] buffer = new byte[DatagramLimits.MaxIPv4Bytes];
            while (input.Read(buffer) is { IsEmpty: false } datagram)
            {
                Moved();
                Transfers.Sending(datagram.Span);
                _last!.Send(datagram.Span);
            }
        }
        catch (SocketException failure)
        {
            broken.SetResult(NetworkException.From("send", $"{_last!.Endpoint} to {_last.Peer}", failure).Message);
        }
        catch (NetworkException failure)
        {
            broken.SetResult(failure.Message);
        }
        catch (ObjectDisposedException)
        {
            // The other direction has ended already.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            broken.SetResult(StandardOutput.Wording("read standard input", failure));
        }
    }

    /// <summary>Whose datagram came where.</summary>
    internal sealed record From(Socket Socket, Endpoint Endpoint, PeerAddress Peer, SocketAddress Address)
    {
        private bool HasNoAddress => Peer.Kind == AddressKind.None || Peer is { Kind: AddressKind.Unix, Path.Length: 0 };

        /// <summary>From now on nobody else is heard. Of who has no address, all of his kind are.</summary>
        /// <exception cref="NetworkException">There is no way back.</exception>
        public void Connect()
        {
            if (HasNoAddress)
            {
                return;
            }

            try
            {
                Socket.Connect(Peer.Kind == AddressKind.Unix ? new UnixEndPoint(Peer.Path!) : Peer.ToIPEndPoint());
            }
            catch (SocketException failure)
            {
                throw NetworkException.From("connect", $"{Endpoint} to {Peer}", failure);
            }
        }

        /// <exception cref="SocketException">It can't be sent.</exception>
        /// <exception cref="NetworkException">There is nobody to send it to.</exception>
        public void Send(ReadOnlySpan<byte> datagram)
        {
            if (HasNoAddress)
            {
                throw NetworkException.From("send", $"{Endpoint}: its sender has bound no address", SocketError.DestinationAddressRequired);
            }

            _ = Socket.Connected ? Socket.Send(datagram) : Socket.SendTo(datagram, SocketFlags.None, Address);
        }
    }
}
