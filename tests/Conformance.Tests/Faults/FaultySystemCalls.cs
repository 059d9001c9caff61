using System.Runtime.CompilerServices;
using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>
/// The backend of all servers in this process: the kernel, and between it and the lanes the <see cref="SystemCallFaults"/> in force.
/// </summary>
internal sealed unsafe class FaultySystemCalls : SystemCalls
{
    /// <summary>Of a ring's operation that is to fail, the errno stands in its user data, between the token and the operation.</summary>
    private const int ErrnoAt = 32;

    [ModuleInitializer]
    internal static void Choose() => Use(new FaultySystemCalls());

    public override int Accept(int socket, byte* address, int* length, int flags) =>
        Fails(SystemCall.Accept) ? -1 : base.Accept(socket, address, length, flags);

    public override nint Receive(int socket, byte* buffer, nint length, int flags) =>
        SystemCallFaults.Fails(SystemCall.Receive, ref length) ? -1 : base.Receive(socket, buffer, length, flags);

    public override nint Send(int socket, byte* buffer, nint length, int flags) =>
        SystemCallFaults.Fails(SystemCall.Send, ref length) ? -1 : base.Send(socket, buffer, length, flags);

    public override nint ReceiveFrom(int socket, byte* buffer, nint length, int flags, byte* address, int* addressLength) =>
        Fails(SystemCall.ReceiveDatagrams) ? -1 : base.ReceiveFrom(socket, buffer, length, flags, address, addressLength);

    public override nint SendTo(int socket, byte* buffer, nint length, int flags, byte* address, int addressLength) =>
        Fails(SystemCall.SendDatagrams) ? -1 : base.SendTo(socket, buffer, length, flags, address, addressLength);

    public override int ReceiveMessages(int socket, CountedMessage* messages, int max, int flags)
    {
        nint length = max;
        return SystemCallFaults.Fails(SystemCall.ReceiveDatagrams, ref length)
            ? -1
            : base.ReceiveMessages(socket, messages, (int)length, flags);
    }

    public override int SendMessages(int socket, CountedMessage* messages, int count, int flags)
    {
        nint length = count;
        return SystemCallFaults.Fails(SystemCall.SendDatagrams, ref length) ? -1 : base.SendMessages(socket, messages, (int)length, flags);
    }

    public override int Shutdown(int socket, int how) => Fails(SystemCall.Shutdown) ? -1 : base.Shutdown(socket, how);

    public override int Watch(int epoll, int operation, int descriptor, byte* change) =>
        Fails(SystemCall.Watch) ? -1 : base.Watch(epoll, operation, descriptor, change);

    public override int Wait(int epoll, byte* events, int max, int milliseconds) =>
        Fails(SystemCall.Wait) ? -1 : base.Wait(epoll, events, max, milliseconds);

    public override nint EnterRing(int ring, uint submit, uint completions, int milliseconds) =>
        Fails(SystemCall.Wait) ? -1 : base.EnterRing(ring, submit, completions, milliseconds);

    public override void Prepare(ref Submission entry, ref nint length)
    {
        SystemCall call = entry.Operation switch
        {
            Operation.Accept => SystemCall.Accept,
            Operation.Receive => SystemCall.Receive,
            _ => SystemCall.Send,
        };
        int errno = SystemCallFaults.ErrnoFor(call, ref length);
        if (errno != 0)
        {
            entry.Operation = Operation.Nothing;
            entry.UserData |= (ulong)errno << ErrnoAt;
        }
    }

    public override int ResultOf(in Completion completion)
    {
        int errno = (ushort)(completion.UserData >> ErrnoAt);
        return errno == 0 ? base.ResultOf(completion) : -errno;
    }

    private static bool Fails(SystemCall call)
    {
        nint none = 0;
        return SystemCallFaults.Fails(call, ref none);
    }
}
