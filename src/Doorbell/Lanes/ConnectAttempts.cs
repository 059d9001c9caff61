using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>How far a connection of ours is.</summary>
internal enum ConnectProgress
{
    /// <summary>The kernel is at it: the lane waits for the descriptor to be writable, and for <see cref="ConnectAttempts.Due"/>.</summary>
    Waiting,

    /// <summary>It is connected.</summary>
    Connected,

    /// <summary>No address can be connected.</summary>
    Failed,
}

/// <summary>
/// Connects to one address of an endpoint after the other, by calls that never wait (connect(2), EINPROGRESS): a lane waits for it as for
/// its other descriptors. The time left is shared equally by the addresses left. Where the system has no descriptor for a socket
/// (socket(2), EMFILE), it is asked again until that time is over.
/// </summary>
/// <param name="request">What is asked for.</param>
/// <param name="begun">Its time-out counts from here.</param>
/// <param name="descriptors">Where it waits for one.</param>
internal sealed unsafe class ConnectAttempts(ConnectRequest request, TimeSpan begun, DescriptorReserve descriptors)
{
    /// <summary>How long until a unix listener whose backlog was full (EAGAIN, connect(2)) is asked again.</summary>
    private static readonly TimeSpan _fullBacklogPause = TimeSpan.FromMilliseconds(10);

    private readonly TimeSpan _deadline = begun + request.Timeout;
    private readonly List<(EndPoint Address, int Errno)> _failures = [];
    private readonly ClientOptions _options = request.Transport as ClientOptions ?? ClientOptions.Default;
    private EndPoint[] _addresses = [];
    private SocketAddress? _address;
    private int _next;
    private TimeSpan _addressDeadline;
    private bool _isFull;

    /// <summary>What the system is short of (errno); 0 for nothing.</summary>
    private int _shortage;

    /// <summary>What the kernel refuses of the request's options, whatever the address.</summary>
    private NetworkException? _refused;

    /// <summary>The socket that is connecting, or connected; -1 for none.</summary>
    public int Descriptor { get; private set; } = -1;

    /// <summary>Counts the addresses tried: each has a new descriptor, whose number may be the one before's.</summary>
    public int Number => _next;

    /// <summary>When <see cref="Continue"/> is to be called at the latest.</summary>
    public TimeSpan Due { get; private set; }

    /// <summary>What is connected. Its descriptor is the caller's; calls on it do not wait unless <see cref="LetWait"/>.</summary>
    public ConnectedSocket Result => new(
        Descriptor, request, _addresses[_next - 1] is IPEndPoint ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(request.Endpoint.Path));

    /// <summary>
    /// From here on a call on a descriptor waits if it does not say otherwise (MSG_DONTWAIT). Before, a receive with a time-out would not
    /// wait, and io_uring would answer EAGAIN.
    /// </summary>
    public static void LetWait(int descriptor) => _ = Libc.fcntl(descriptor, Libc.SetFlags, 0);

    /// <summary>Whether <see cref="Continue"/> is to be called at <see cref="Due"/> alone: no event of the descriptor says more.</summary>
    public bool WaitsForTimeAlone => _isFull || _shortage != 0;

    /// <summary>Begins with the first address.</summary>
    /// <param name="addresses">At least one.</param>
    /// <param name="now">The time.</param>
    public ConnectProgress Begin(EndPoint[] addresses, TimeSpan now)
    {
        _addresses = addresses;
        return TryNext(now);
    }

    /// <summary>The descriptor is writable or has failed, or <see cref="Due"/> has come.</summary>
    /// <param name="events">What poll(2), or epoll(7), says of it, which have the same bits for these; 0 for the last.</param>
    /// <param name="now">The time.</param>
    public ConnectProgress Continue(uint events, TimeSpan now)
    {
        if (now >= _addressDeadline)
        {
            return FailAddress(_shortage == 0 ? Libc.TimedOut : _shortage, now);
        }

        if (_shortage != 0)
        {
            return now >= Due ? Open(now) : ConnectProgress.Waiting;
        }

        if (_isFull)
        {
            return now >= Due ? Connect(now) : ConnectProgress.Waiting;
        }

        if (events == 0)
        {
            return ConnectProgress.Waiting;
        }

        if ((events & (Epoll.Error | Epoll.HangUp)) == 0)
        {
            return Connected();
        }

        int error = 0;
        int length = sizeof(int);
        _ = Libc.getsockopt(Descriptor, Libc.SocketLevel, Libc.ErrorOption, &error, &length);
        return error == 0 ? Connected() : FailAddress(error, now);
    }

    /// <summary>Closes what is connecting, and waits for nothing.</summary>
    public void Close()
    {
        EndShortage();
        if (Descriptor >= 0)
        {
            _ = Libc.close(Descriptor);
            Descriptor = -1;
        }
    }

    /// <summary>Why all failed.</summary>
    public ConnectFailure Failure()
    {
        if (_refused is not null)
        {
            return ConnectFailures.Of(request, _refused);
        }

        string target = request.Endpoint.ToString();
        (_, int errno) = _failures[^1];
        NetworkException last = NetworkException.FromErrno("connect", target, errno);
        string error = last.ErrnoName ?? "EIO";
        if (_failures.Count > 1)
        {
            string each = string.Join(", ", _failures.Select(static failure => $"{failure.Address}: {Errno.OfLinux(failure.Errno)}"));
            string advice = last.Advice is null ? "" : $"; {last.Advice}";
            return new ConnectFailure(error, $"connect {target}: no address answered: {each}{advice}");
        }

        return new ConnectFailure(
            error, errno == Libc.TimedOut ? $"connect {target}: no answer within {request.Timeout.TotalSeconds:0.###} s" : last.Message);
    }

    private ConnectProgress TryNext(TimeSpan now)
    {
        while (_next < _addresses.Length)
        {
            EndPoint address = _addresses[_next];
            _addressDeadline = now + ((_deadline - now) / (_addresses.Length - _next));
            _next++;
            _address = address.Serialize();
            if (!_options.Takes(address.AddressFamily))
            {
                _failures.Add((address, Libc.FamilyNotSupported));
                continue;
            }

            if (address is IPEndPoint ip && !request.Admits(PeerAddress.From(ip)))
            {
                _failures.Add((address, Libc.AccessDenied));
                continue;
            }

            return Open(now);
        }

        return ConnectProgress.Failed;
    }

    /// <summary>Makes the socket for the address that is next, and begins to connect it.</summary>
    private ConnectProgress Open(TimeSpan now)
    {
        AddressFamily family = _addresses[_next - 1].AddressFamily;
        Descriptor = NewSocket(family);
        if (Descriptor < 0)
        {
            int errno = LinuxErrno.Last;
            if (errno is not (Libc.TooManyFiles or Libc.TooManyFilesInSystem or Libc.NoBuffers or Libc.OutOfMemory))
            {
                return FailAddress(errno, now);
            }

            BeginShortage(errno);
            Descriptor = NewSocket(family);
            if (Descriptor < 0)
            {
                Due = now + DescriptorReserve.Pause < _addressDeadline ? now + DescriptorReserve.Pause : _addressDeadline;
                return ConnectProgress.Waiting;
            }
        }

        EndShortage();
        if (family != AddressFamily.Unix)
        {
            // A handler's turn leaves in one send; Nagle's algorithm could only delay it.
            SetOption(Libc.TcpLevel, Libc.NoDelayOption, 1);
            if (request.KeepAlive is { } keepAlive)
            {
                SetOption(Libc.SocketLevel, Libc.KeepAliveOption, 1);
                SetOption(Libc.TcpLevel, Libc.KeepAliveIdleOption, (int)keepAlive.TotalSeconds);
            }
        }

        return Apply(connected: false) ? Connect(now) : ConnectProgress.Failed;
    }

    private static int NewSocket(AddressFamily family) => Libc.socket(
        family switch
        {
            AddressFamily.InterNetwork => Libc.IPv4Family,
            AddressFamily.InterNetworkV6 => Libc.IPv6Family,
            _ => Libc.UnixFamily,
        },
        Libc.StreamType | Libc.SocketCloseOnExec | Libc.NonBlocking,
        0);

    private ConnectProgress Connected() => Apply(connected: true) ? ConnectProgress.Connected : ConnectProgress.Failed;

    /// <summary>Gives the socket the options asked for. False if the kernel refuses one: another address would fare no better.</summary>
    private bool Apply(bool connected)
    {
        if (ReferenceEquals(_options, ClientOptions.Default))
        {
            return true;
        }

        try
        {
            AddressFamily family = _addresses[_next - 1].AddressFamily;
            string target = request.Endpoint.ToString();
            if (connected)
            {
                _options.Connected(Descriptor, family, target);
            }
            else
            {
                _options.BeforeConnect(Descriptor, family, target);
            }

            return true;
        }
        catch (NetworkException refused)
        {
            _refused = refused;
            Close();
            return false;
        }
    }

    private void BeginShortage(int errno)
    {
        if (_shortage == 0)
        {
            descriptors.Wait();
        }

        _shortage = errno;
    }

    private void EndShortage()
    {
        if (_shortage != 0)
        {
            _shortage = 0;
            descriptors.Over();
        }
    }

    private ConnectProgress Connect(TimeSpan now)
    {
        int result;
        fixed (byte* bytes = _address!.Buffer.Span)
        {
            result = Libc.connect(Descriptor, bytes, _address.Size);
        }

        int errno = result == 0 ? 0 : LinuxErrno.Last;
        _isFull = errno == Libc.TryAgain && _addresses[_next - 1].AddressFamily == AddressFamily.Unix;
        Due = _isFull && now + _fullBacklogPause < _addressDeadline ? now + _fullBacklogPause : _addressDeadline;
        return errno switch
        {
            0 => Connected(),
            _ when _isFull => ConnectProgress.Waiting,
            Libc.InProgress or Libc.Interrupted => ConnectProgress.Waiting,
            _ => FailAddress(errno, now),
        };
    }

    private void SetOption(int level, int option, int value) =>
        _ = Libc.setsockopt(Descriptor, level, option, &value, sizeof(int));

    private ConnectProgress FailAddress(int errno, TimeSpan now)
    {
        Close();
        _failures.Add((_addresses[_next - 1], errno));
        return TryNext(now);
    }
}
