using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>A lane that is a thread and carries one datagram socket: it sleeps in poll(2), receives, has it answered, sends.</summary>
internal sealed unsafe class BlockingDatagramLane
{
    /// <summary>At a drain, at most so many datagrams that wait in the kernel are still answered.</summary>
    private const int MostAtDrain = 10_000;
    private const int LongestAddress = 128;

    private readonly BoundSocket _bound;
    private readonly Serving _serving;
    private readonly StopEvents _stop;
    private readonly DatagramSession _session;
    private readonly byte[] _buffer;
    private readonly int _largest;
    private readonly AddressFamily _family;
    private readonly Backoff _backoff = new();

    public BlockingDatagramLane(BoundSocket bound, Serving serving, StopEvents stop)
    {
        _bound = bound;
        _serving = serving;
        _stop = stop;
        _family = bound.Socket.AddressFamily;
        _session = new DatagramSession(serving.Service.NewDatagramHandler!(), serving.Service.DatagramLimits, serving.Ledger);
        _largest = serving.Service.DatagramLimits.MaxDatagramBytes;

        // One byte more than is taken: a datagram that fills it is too long, and the kernel has cut it.
        _buffer = GC.AllocateUninitializedArray<byte>(_largest + 1, pinned: true);

        // A unix peer that does not read would be waited for at each send, by all others too.
        bound.Socket.Blocking = false;
    }

    public void Run()
    {
        try
        {
            while (!_stop.IsDraining)
            {
                if (!TryReceive())
                {
                    Wait();
                }

                // However many datagrams come, the alarm is heard.
                if (_session.Deadline <= MonotonicClock.Now)
                {
                    Tick();
                }
            }

            for (int i = 0; i < MostAtDrain && !_stop.IsAborting && TryReceive(); i++)
            {
            }
        }
        finally
        {
            _bound.Release();
        }
    }

    private void Wait()
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[2];
        descriptors[0] = new PollDescriptor { Descriptor = _bound.Descriptor, Events = PollDescriptor.In };
        descriptors[1] = new PollDescriptor { Descriptor = _stop.Drain.Descriptor, Events = PollDescriptor.In };
        TimeSpan deadline = _session.Deadline;
        double wait = deadline == TimeSpan.MaxValue ? -1 : Math.Ceiling((deadline - MonotonicClock.Now).TotalMilliseconds);
        _ = Libc.poll(descriptors, 2, deadline == TimeSpan.MaxValue ? -1 : (int)Math.Clamp(wait, 0, int.MaxValue));
    }

    private void Tick()
    {
        _session.Tick(MonotonicClock.Now, DateTimeOffset.UtcNow);
        SendAll();
    }

    /// <summary>Receives and answers one datagram; false if there is none now.</summary>
    private bool TryReceive()
    {
        byte* address = stackalloc byte[LongestAddress];
        int addressLength = LongestAddress;
        nint count;
        fixed (byte* bytes = _buffer)
        {
            count = Libc.recvfrom(_bound.Descriptor, bytes, _buffer.Length, Libc.MessageDontWait, address, &addressLength);
        }

        if (count >= 0)
        {
            _backoff.Reset();
            PeerAddress peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(addressLength, LongestAddress)));
            Handle((int)count, peer);
            SendAll();
            return true;
        }

        return LinuxErrno.Last switch
        {
            Libc.TryAgain => false,
            Libc.Interrupted => true,
            int errno => Failed(errno),
        };
    }

    private bool Failed(int errno)
    {
        NetworkException failure = NetworkException.FromErrno("receive", _bound.Door.Endpoint.ToString(), errno);
        if (failure.Error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // An ICMP "port unreachable" for an answer sent earlier, told to the next caller (udp(7)): not this socket's error.
            ServerLog.DatagramLost(_serving.Log, failure.Message);
            return true;
        }

        if (_backoff.MayLog())
        {
            ServerLog.DoorFailed(_serving.Log, failure.Message);
        }

        _stop.Pause(_backoff.Next());
        return false;
    }

    private void Handle(int count, PeerAddress peer)
    {
        if (count > _largest)
        {
            _serving.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return;
        }

        if (_serving.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.Datagram(_serving.Log, _bound.Door.Endpoint, count, peer);
        }

        _session.Received(_buffer.AsSpan(0, count), peer, MonotonicClock.Now, DateTimeOffset.UtcNow);
        if (_session.Fault is { } fault)
        {
            string message = ServerLog.TextOf(fault);
            ServerLog.DatagramFaulted(_serving.Log, _bound.Door.Endpoint, peer, fault.GetType().Name, message);
            _session.Fault = null;
        }
    }

    private void SendAll()
    {
        DatagramOutbox outbox = _session.Outbox;
        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            try
            {
                DatagramCalls.Send(_bound, _family, bytes.Span, to);
                _serving.Ledger.DatagramSent(bytes.Length);
            }
            catch (Exception failure) when (failure is NetworkException or ArgumentException or SocketException)
            {
                // A unix peer without a name has no address to answer to: ArgumentException.
                _serving.Ledger.DatagramDropped(DatagramDrop.SendFailed);
                string message = failure is NetworkException
                    ? failure.Message
                    : NetworkException.From("send", $"{_bound.Door.Endpoint} to {to}", failure).Message;
                ServerLog.DatagramLost(_serving.Log, message);
            }
        }

        outbox.Clear();
    }
}
