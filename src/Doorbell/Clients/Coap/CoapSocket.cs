using System.Diagnostics;
using System.Net.Sockets;

namespace Doorbell.Coap;

/// <summary>
/// A <see cref="CoapClient"/> on a datagram socket connected to its peer: datagrams move, the alarm rings, answers find who waits for
/// them. Any thread may ask; the client is used by one at a time.
/// </summary>
internal sealed class CoapSocket : IDisposable
{
    private const int MaxDatagramBytes = 65_535;

    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly CoapClient _client;
    private readonly Dictionary<long, TaskCompletionSource<CoapClientResponse>> _asking = [];
    private readonly Timer _alarm;
    private readonly long _start = Stopwatch.GetTimestamp();
    private Exception? _failure;
    private bool _isDisposed;

    /// <param name="socket">Connected; this one's from here on.</param>
    /// <param name="limits">The client's.</param>
    public CoapSocket(Socket socket, CoapClientLimits limits)
    {
        _socket = socket;
        _socket.Blocking = false;
        _client = new CoapClient(limits, Random.Shared);
        _alarm = new Timer(static state => ((CoapSocket)state!).Ring(), this, Timeout.Infinite, Timeout.Infinite);
        _ = ReceiveAsync();
    }

    /// <summary>Whether anything has come from the peer.</summary>
    public bool HasHeard { get; private set; }

    /// <summary>As measured and smoothed; zero while it is unknown.</summary>
    public TimeSpan RoundTrip
    {
        get
        {
            lock (_lock)
            {
                return _client.RoundTrips.RoundTrip;
            }
        }
    }

    private TimeSpan Now => Stopwatch.GetElapsedTime(_start);

    /// <summary>Asks and waits.</summary>
    /// <exception cref="SocketException">The socket failed: nobody listens there.</exception>
    /// <exception cref="InvalidOperationException">Too many requests are at work.</exception>
    public async Task<CoapClientResponse> AskAsync(CoapClientRequest request, CancellationToken cancellation)
    {
        TaskCompletionSource<CoapClientResponse> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        long id;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_failure is not null)
            {
                throw _failure;
            }

            if (!_client.TryAsk(request, Now, out id))
            {
                throw new InvalidOperationException($"{_client.Requests} requests are at work; wait for an answer first");
            }

            _asking.Add(id, answer);
            Move();
        }

        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(_ => Cancel(id, cancellation), null);
        return await answer.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _alarm.Dispose();
            _socket.Dispose();
            Fail(new ObjectDisposedException(nameof(CoapConnection)));
        }
    }

    private void Cancel(long id, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_asking.Remove(id, out TaskCompletionSource<CoapClientResponse>? answer))
            {
                _client.Cancel(id, Now);
                answer.SetCanceled(cancellation);
                Move();
            }
        }
    }

    private void Ring()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _client.Tick(Now);
                Move();
            }
        }
    }

    private async Task ReceiveAsync()
    {
        byte[] buffer = new byte[MaxDatagramBytes];
        while (true)
        {
            try
            {
                int count = await _socket.ReceiveAsync(buffer, SocketFlags.None).ConfigureAwait(false);
                lock (_lock)
                {
                    HasHeard = true;
                    _client.Received(buffer.AsSpan(0, count), Now);
                    Move();
                }
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                lock (_lock)
                {
                    if (_isDisposed)
                    {
                        return;
                    }

                    Fail(failure);
                }

                if (failure is ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Sends all there is to send, tells all there is to tell, and sets the alarm.</summary>
    private void Move()
    {
        if (_isDisposed)
        {
            return;
        }

        try
        {
            while (_client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
            {
                _ = _socket.Send(datagram, SocketFlags.None, out SocketError error);

                // A send buffer that is full loses the datagram, as the network might: it will be sent again.
                if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable))
                {
                    throw new SocketException((int)error);
                }
            }
        }
        catch (SocketException failure)
        {
            Fail(failure);
        }

        while (_client.TryTakeAnswer(out CoapClientResponse? answer))
        {
            if (_asking.Remove(answer.Id, out TaskCompletionSource<CoapClientResponse>? waiting))
            {
                waiting.SetResult(answer);
            }
        }

        TimeSpan wait = _client.Alarm is { } alarm ? alarm - Now : Timeout.InfiniteTimeSpan;
        _alarm.Change(wait < TimeSpan.Zero && wait != Timeout.InfiniteTimeSpan ? TimeSpan.Zero : wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>All who wait learn it. A refusal is the peer's state at that moment: the next may ask again.</summary>
    private void Fail(Exception failure)
    {
        if (failure is not SocketException)
        {
            _failure = failure;
        }

        foreach ((long id, TaskCompletionSource<CoapClientResponse> answer) in _asking)
        {
            _client.Cancel(id, Now);
            answer.TrySetException(failure);
        }

        _asking.Clear();
    }
}
