using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Datagrams;

/// <summary>
/// Sends an outbox by sendmmsg(2): runs of equal size joined by UDP_SEGMENT, each from the address that was asked. What the kernel
/// refuses to do so is done more plainly; a datagram that it refuses at all is counted, and the next ones go out.
/// </summary>
internal sealed unsafe class SendBatch : IDisposable
{
    public const int Max = 64;

    /// <summary>UDP_MAX_SEGMENTS of linux/udp.h before Linux 6.9, which doubled it.</summary>
    public const int MaxSegments = 64;

    /// <summary>What UDP over IPv4 can carry.</summary>
    public const int MaxBytes = 65_507;

    // struct sockaddr_in6 is the longest, 28 bytes. The control messages: in6_pktinfo 40 bytes, the segment's size 24.
    private const int AddressBytes = 32;
    private const int ControlBytes = 64;

    /// <summary>So long a full send buffer is waited for; then the datagram is lost, as the network loses them.</summary>
    private const int MaxMilliseconds = 100;

    /// <summary>So many ICMP errors for earlier datagrams, reported instead of a send, are passed over.</summary>
    private const int MaxForeignErrors = 3;

    private readonly DoorSocket _bound;
    private readonly ServerContext _context;
    private readonly AddressFamily _family;
    private readonly bool _chooses;
    private readonly CountedMessage* _messages;

    /// <summary>Which datagram each message begins with; behind the last message, the one after it.</summary>
    private readonly int[] _first = new int[Max + 1];
    private SegmentLimits _limits;

    // Of the outbox under way: up to here nothing is joined, up to here no source is told, since the kernel refused that.
    private int _aloneUntil;
    private int _sourcelessUntil;
    private int _suspectBytes;
    private int _foreignErrors;
    private bool _hasWaited;
    private long _sent;
    private long _sentBytes;

    public SendBatch(DoorSocket bound, ServerContext context, DatagramOffload offload)
    {
        _bound = bound;
        _context = context;
        _family = bound.Socket.AddressFamily;
        _chooses = offload.Chooses;
        _limits = offload.Joins ? new SegmentLimits(MaxSegments, ushort.MaxValue, MaxBytes) : SegmentLimits.None;
        int each = sizeof(CountedMessage) + sizeof(BufferVector) + AddressBytes + ControlBytes;
        _messages = (CountedMessage*)NativeMemory.AllocZeroed(Max, (nuint)each);
        BufferVector* buffers = (BufferVector*)(_messages + Max);
        byte* controls = (byte*)(buffers + Max);
        byte* addresses = controls + (Max * ControlBytes);
        for (int i = 0; i < Max; i++)
        {
            _messages[i].Header = new MessageHeader
            {
                Name = addresses + (i * AddressBytes),
                Buffers = buffers + i,
                BufferCount = 1,
                Control = controls + (i * ControlBytes),
            };
        }
    }

    /// <summary>The largest datagram that is still joined with others; smaller after the kernel refused some, 0 for none.</summary>
    public int MaxSegmentBytes => _limits.MaxSegmentBytes;

    /// <summary>Sends all, counts them, and clears the outbox.</summary>
    public void SendAll(DatagramOutbox outbox)
    {
        _aloneUntil = _sourcelessUntil = 0;
        fixed (byte* bytes = outbox.Bytes)
        {
            for (int next = 0; next < outbox.Count;)
            {
                int composed = Compose(outbox, next, bytes);
                next = composed > 0 ? SendComposed(outbox, composed) : Lose(outbox, next, 1, 0);
            }
        }

        outbox.Clear();
        _context.Ledger.DatagramsSent(_sent, _sentBytes);
        _sent = _sentBytes = 0;
    }

    public void Dispose() => NativeMemory.Free(_messages);

    /// <summary>Makes messages of the datagrams from the first on; none if that has no address to go to.</summary>
    private int Compose(DatagramOutbox outbox, int first, byte* bytes)
    {
        int composed = 0;
        for (int next = first; composed < Max && next < outbox.Count; composed++)
        {
            ref readonly DatagramPath path = ref outbox.PathOf(next);
            if (!SocketAddressCodec.CanWrite(path.Peer, _family))
            {
                break;
            }

            DatagramRun run = outbox.RunFrom(next, next < _aloneUntil ? SegmentLimits.None : _limits);
            MessageHeader* header = &_messages[composed].Header;
            header->NameLength = SocketAddressCodec.WriteLinux(path.Peer, _family, new Span<byte>(header->Name, AddressBytes));
            *header->Buffers = new BufferVector { Base = bytes + run.Offset, Length = (nuint)run.Length };
            header->ControlLength = 0;
            if (_chooses && path.Local.Kind == path.Peer.Kind && next >= _sourcelessUntil)
            {
                AppendSource(header, path.Local);
            }

            if (run.Count > 1)
            {
                *(ushort*)ControlMessage.Append(header, ControlMessage.UdpLevel, ControlMessage.UdpSegment, sizeof(ushort)) =
                    (ushort)run.SegmentBytes;
            }

            _first[composed] = next;
            next += run.Count;
            _first[composed + 1] = next;
        }

        return composed;
    }

    private static void AppendSource(MessageHeader* header, PeerAddress local)
    {
        if (local.Kind == AddressKind.IPv4)
        {
            byte* info = ControlMessage.Append(
                header, ControlMessage.IPLevel, ControlMessage.PacketInfo, ControlMessage.PacketInfoBytes);
            NativeMemory.Clear(info, ControlMessage.PacketInfoBytes);
            BinaryPrimitives.WriteUInt32BigEndian(
                new Span<byte>(info + ControlMessage.PacketInfoAnswerFrom, sizeof(uint)), (uint)local.Bits);
            return;
        }

        byte* info6 = ControlMessage.Append(
            header, ControlMessage.IPv6Level, ControlMessage.PacketInfo6, ControlMessage.PacketInfo6Bytes);
        BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(info6, sizeof(UInt128)), local.Bits);
        *(uint*)(info6 + ControlMessage.PacketInfo6Interface) = local.ScopeId;
    }

    /// <summary>Sends the composed messages as far as the kernel takes them; the datagram to go on with.</summary>
    private int SendComposed(DatagramOutbox outbox, int composed)
    {
        int sent = SystemCalls.Backend.SendMessages(_bound.Descriptor, _messages, composed, Libc.MessageDontWait | Libc.MessageNoSignal);
        if (sent <= 0)
        {
            return Refused(outbox, LinuxErrno.Last);
        }

        if (_suspectBytes > 0)
        {
            // Alone it goes: so it was the joining that the kernel refused.
            _limits = _limits with { MaxSegmentBytes = Math.Min(_limits.MaxSegmentBytes, _suspectBytes - 1) };
            _suspectBytes = 0;
        }

        for (int i = 0; i < sent; i++)
        {
            _sentBytes += (long)_messages[i].Header.Buffers->Length;
        }

        _sent += _first[sent] - _first[0];
        _hasWaited = false;
        _foreignErrors = 0;
        return _first[sent];
    }

    /// <summary>The first composed message was refused, and none was sent; the datagram to go on with.</summary>
    private int Refused(DatagramOutbox outbox, int errno)
    {
        int first = _first[0];
        int count = _first[1] - first;
        switch (errno)
        {
            case Libc.Interrupted:
                return first;
            case Libc.TryAgain when !_hasWaited:
                _hasWaited = true;
                PollDescriptor room = new() { Descriptor = _bound.Descriptor, Events = PollDescriptor.Out };
                _ = Libc.poll(&room, 1, MaxMilliseconds);
                return first;
            case LibcMessages.ConnectionRefused or Libc.ConnectionReset when _foreignErrors++ < MaxForeignErrors:
                // An ICMP error for a datagram sent earlier (ip(7), IP_RECVERR), reported in this one's place: it was not sent yet.
                return first;
            case Libc.InvalidArgument or LibcMessages.MessageTooLong or LibcMessages.InputOutputError
                or LibcMessages.NoSuchOption or LibcMessages.NotSupported when count > 1:
                // Larger than the path's MTU, or a device or a socket that can't (udp(7), UDP_SEGMENT). Of a message that is refused
                // for that, nothing was sent.
                _aloneUntil = first + count;
                _suspectBytes = errno is Libc.InvalidArgument or LibcMessages.MessageTooLong
                    ? outbox[first].Bytes.Length
                    : 1;
                return first;
            case Libc.InvalidArgument or LibcMessages.AddressNotAvailable when HasSource(first, outbox):
                // Our address has gone, or is an anycast address, from which nothing may be sent: the kernel's choice may still do.
                _sourcelessUntil = Math.Max(first + 1, _aloneUntil);
                _suspectBytes = 0;
                return first;
            default:
                return Lose(outbox, first, count, errno);
        }
    }

    private bool HasSource(int index, DatagramOutbox outbox) =>
        _chooses && index >= _sourcelessUntil && outbox.PathOf(index).Local.Kind != AddressKind.None;

    /// <summary>Counts datagrams as lost; the one behind them.</summary>
    private int Lose(DatagramOutbox outbox, int first, int count, int errno)
    {
        _suspectBytes = 0;
        _hasWaited = false;
        _foreignErrors = 0;
        _context.Ledger.DatagramsDropped(DatagramDrop.SendFailed, count);
        if (_context.Log.IsEnabled(LogLevel.Information))
        {
            string target = $"{_bound.Door.Endpoint} to {outbox.PathOf(first).Peer}";
            string failure = errno == 0
                ? $"send {target}: this socket can't send to such an address"
                : NetworkException.FromErrno("send", target, errno).Message;
            ServerLog.DatagramLost(_context.Log, failure);
        }

        return first + count;
    }
}
