using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <content>How bytes move by a call that does not wait.</content>
internal abstract unsafe partial class SocketConnection
{
    /// <summary>A receive is worth trying. It is so at first: a client's request often comes right behind its connection.</summary>
    public bool Readable { get; set; } = true;

    /// <summary>
    /// Receive until there is no more, though a receive brings less than there was room for: the peer has half-closed or reset, and
    /// nothing else will come to wake us, or its stream has marks at which a receive stops short: urgent data (tcp(7)), descriptors
    /// (unix(7)).
    /// </summary>
    public bool ReceivesToEnd { get; set; }

    /// <summary>Its peer sends much at once.</summary>
    public bool IsBulky { get; set; }

    /// <summary>A send is worth trying.</summary>
    public bool Writable { get; set; } = true;

    /// <summary>Receives once and tells the session; what that passes on is sent from where it was received.</summary>
    /// <param name="buffer">The lane's, as <see cref="ReceiveBuffers"/> has it.</param>
    /// <param name="now">The time.</param>
    /// <returns>How many bytes came.</returns>
    public int ReceiveNow(byte[] buffer, TimeSpan now)
    {
        Span<byte> room = buffer.AsSpan(ReceiveBuffers.RestBytes);
        int count = (int)Receive(room, Libc.MessageDontWait);
        if (count <= 0)
        {
            ReceivedNothing(count, now);
            return 0;
        }

        if (count < ReceiveBuffers.MuchBytes)
        {
            Session.Received(room[..count], now);
            return count;
        }

        Session.Received(buffer.AsMemory(0, ReceiveBuffers.RestBytes + count), ReceiveBuffers.RestBytes, now);
        if ((Session.Wants & Want.Send) != 0 && Writable)
        {
            SendNow(now);
        }

        Session.TakeBack();
        return count;
    }

    protected void SendNow(TimeSpan now)
    {
        ReadOnlySpan<byte> outgoing = Session.Outgoing.Span;
        nint count;
        fixed (byte* bytes = outgoing)
        {
            count = Libc.send(Descriptor, bytes, outgoing.Length, Libc.MessageDontWait | Libc.MessageNoSignal);
        }

        if (count >= 0)
        {
            Writable = count == outgoing.Length;
            Session.Sent((int)count, now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            Writable = false;
        }
        else
        {
            Fail("send", LinuxErrno.Last);
        }
    }

    protected nint Receive(Span<byte> buffer, int flags)
    {
        nint count;
        fixed (byte* bytes = buffer)
        {
            count = Libc.recv(Descriptor, bytes, buffer.Length, flags);
        }

        // Less than was room for: the kernel has no more now, and will say when it has (epoll(7), question 9). So it is with TCP: a receive
        // that does not wait heeds no signal before its queue is empty (tcp_recvmsg_locked() in net/ipv4/tcp.c).
        Readable = count == buffer.Length || (count > 0 && ReceivesToEnd);
        return count;
    }

    /// <summary>The end, or a failure.</summary>
    /// <returns>False if there was neither: nothing has come yet.</returns>
    protected bool ReceivedNothing(nint count, TimeSpan now)
    {
        if (count == 0)
        {
            Session.ReceivedEnd(now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            return false;
        }
        else
        {
            Readable = true;
            Fail("receive", LinuxErrno.Last);
        }

        return true;
    }
}
