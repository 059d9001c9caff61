using System.Net;
using System.Net.Sockets;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Portable;

/// <summary>A lane that is a task, carrying one datagram socket: receive, let the handler answer, send.</summary>
internal sealed class AsyncDatagramLane : IDisposable
{
    /// <summary>At a drain, at most so many datagrams that wait in the kernel are still answered.</summary>
    private const int MaxAtDrain = 10_000;

    /// <summary>So many datagrams without sleeping, then other lanes get the thread.</summary>
    private const int DatagramsPerRound = 64;

    private readonly DoorSocket _bound;
    private readonly Socket _socket;
    private readonly Endpoint _door;
    private readonly ServerContext _context;
    private readonly DatagramSession _session;
    private readonly SocketAddress _from;
    private readonly SocketAddress _to;
    private readonly byte[] _buffer;
    private readonly int _largest;
    private readonly Backoff _backoff = new();
    private CancellationTokenSource _alarm = new();

    public AsyncDatagramLane(DoorSocket bound, ServerContext context)
    {
        Socket socket = bound.Socket;
        _bound = bound;
        _socket = socket;
        _door = bound.Door.Endpoint;
        _socket.Blocking = false;
        DatagramOffload.Refuse(bound);
        _context = context;
        _session = context.NewDatagramSession(bound.Door);
        _from = new SocketAddress(socket.AddressFamily);
        _to = new SocketAddress(socket.AddressFamily);
        _largest = bound.Door.Service.DatagramLimits.MaxDatagramBytes;

        // One byte more than is taken, pinned since the kernel writes into it for the socket's whole life: a datagram that fills
        // it is too long, and the kernel has cut it.
        _buffer = GC.AllocateUninitializedArray<byte>(_largest + 1, pinned: true);
    }

    public async Task RunAsync()
    {
        using (this)
        {
            int datagrams = 0;
            while (!_context.Shutdown.Draining.IsCancellationRequested)
            {
                await TurnAsync(_context.Shutdown.Draining);
                if (++datagrams == DatagramsPerRound)
                {
                    datagrams = 0;
                    await Task.Yield();
                }
            }

            // Not Available, which is 0 for an empty datagram too.
            CancellationToken aborting = _context.Shutdown.Aborting;
            for (int i = 0; i < MaxAtDrain && _socket.Poll(0, SelectMode.SelectRead) && !aborting.IsCancellationRequested; i++)
            {
                await TurnAsync(aborting);
            }
        }
    }

    public void Dispose()
    {
        _bound.Release();
        _alarm.Dispose();
    }

    /// <summary>One datagram, or one alarm, and what is to be sent because of it.</summary>
    private async Task TurnAsync(CancellationToken stop)
    {
        try
        {
            int count = await ReceiveAsync(stop);
            Handle(count);
            _session.Tick(MonotonicClock.Now, DateTimeOffset.UtcNow);
            _backoff.Reset();
        }
        catch (OperationCanceledException)
        {
            _session.Tick(MonotonicClock.Now, DateTimeOffset.UtcNow);
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionRefused)
        {
            // An ICMP "port unreachable" for an answer sent earlier, told to the next caller (udp(7)): not this socket's error.
            ServerLog.DatagramLost(_context.Log, Failure("receive", failure));
        }
        catch (SocketException failure)
        {
            ServerLog.DoorFailed(_context.Log, Failure("receive", failure));
            await _backoff.WaitAsync(CancellationToken.None);
        }

        if (_session.Outbox.Count > 0)
        {
            await SendAllAsync();
        }
    }

    private async ValueTask<int> ReceiveAsync(CancellationToken stop)
    {
        if (_socket.AddressFamily == AddressFamily.Unix)
        {
            _from.Size = SocketAddress.GetMaximumAddressSize(AddressFamily.Unix);
            _from.Buffer.Span.Clear();
        }

        if (_session.Deadline == TimeSpan.MaxValue)
        {
            return await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, _from, stop);
        }

        TimeSpan wait = _session.Deadline - MonotonicClock.Now;
        if (!_alarm.TryReset())
        {
            _alarm.Dispose();
            _alarm = new CancellationTokenSource();
        }

        _alarm.CancelAfter(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
        using (stop.UnsafeRegister(static alarm => ((CancellationTokenSource)alarm!).Cancel(), _alarm))
        {
            return await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, _from, _alarm.Token);
        }
    }

    private void Handle(int count)
    {
        if (count > _largest)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return;
        }

        PeerAddress peer = SocketAddressCodec.Read(_from);
        if (_context.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.Datagram(_context.Log, _door, count, peer);
        }

        _session.Received(_buffer.AsSpan(0, count), peer, MonotonicClock.Now, DateTimeOffset.UtcNow);
        if (_session.Fault is { } fault)
        {
            ServerLog.DatagramFaulted(_context.Log, _door, peer, fault);
            _session.Fault = null;
        }
    }

    private async ValueTask SendAllAsync()
    {
        DatagramOutbox outbox = _session.Outbox;
        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            try
            {
                _context.Ledger.DatagramSent(await SendAsync(bytes, to));
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException or ArgumentException)
            {
                // A unix peer without a name has no address to answer to: ArgumentException.
                _context.Ledger.DatagramDropped(DatagramDrop.SendFailed);
                ServerLog.DatagramLost(_context.Log, NetworkException.From("send", $"{_door} to {to}", failure).Message);
            }
        }

        outbox.Clear();
    }

    private ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes, PeerAddress to)
    {
        if (to.Kind == AddressKind.Unix)
        {
            // The overload that allocates nothing gives the kernel a name's whole buffer, which is another abstract name. And a unix
            // peer that does not read would be waited for (unix(7)): its answer is dropped, so that nobody waits because of it.
            return new ValueTask<int>(_socket.SendTo(bytes.Span, SocketFlags.None, new UnixDomainSocketEndPoint(to.Path!)));
        }

        SocketAddressCodec.Write(to, _socket.AddressFamily, _to);
        return _socket.SendToAsync(bytes, SocketFlags.None, _to, _context.Shutdown.Aborting);
    }

    private string Failure(string operation, SocketException failure) =>
        NetworkException.From(operation, _door.ToString(), failure).Message;
}
