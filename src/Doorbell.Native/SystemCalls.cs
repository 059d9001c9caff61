namespace Doorbell.Native;

/// <summary>
/// The calls by which lanes wait and by which bytes move, as the kernel has them: -1 and errno for a failure. This class is the backend of
/// a program that runs; one derived from it may stand between the lanes and the kernel, as a recorder or a faulty kernel would.
/// </summary>
/// <remarks>
/// A process has one backend, since a lane's calls know of no server. A native program has this class alone, so that the compiler calls
/// its methods without a table.
/// </remarks>
internal unsafe class SystemCalls
{
    private static SystemCalls _backend = new();

    public static SystemCalls Backend => _backend;

    /// <summary>Chooses another backend, before the first lane runs.</summary>
    public static void Use(SystemCalls backend) => _backend = backend;

    /// <summary>accept4(2).</summary>
    public virtual int Accept(int socket, byte* address, int* length, int flags) =>
        Libc.Answer(Libc.accept4_(socket, address, length, flags));

    /// <summary>recv(2): waits, unless the flags say otherwise.</summary>
    public virtual nint Receive(int socket, byte* buffer, nint length, int flags) => (flags & Libc.MessageDontWait) != 0
        ? Libc.Answer(Libc.recv_now(socket, buffer, length, flags))
        : Libc.recv_(socket, buffer, length, flags);

    /// <summary>send(2).</summary>
    public virtual nint Send(int socket, byte* buffer, nint length, int flags) => Libc.Answer(Libc.send_(socket, buffer, length, flags));

    /// <summary>recvfrom(2).</summary>
    public virtual nint ReceiveFrom(int socket, byte* buffer, nint length, int flags, byte* address, int* addressLength) =>
        Libc.recvfrom_(socket, buffer, length, flags, address, addressLength);

    /// <summary>sendto(2).</summary>
    public virtual nint SendTo(int socket, byte* buffer, nint length, int flags, byte* address, int addressLength) =>
        Libc.sendto_(socket, buffer, length, flags, address, addressLength);

    /// <summary>recvmmsg(2) without its timeout, whose meaning is not what one thinks (BUGS there).</summary>
    public virtual int ReceiveMessages(int socket, CountedMessage* messages, int max, int flags) =>
        LibcMessages.recvmmsg(socket, messages, (uint)max, flags, null);

    /// <summary>sendmmsg(2).</summary>
    public virtual int SendMessages(int socket, CountedMessage* messages, int count, int flags) =>
        LibcMessages.sendmmsg(socket, messages, (uint)count, flags);

    /// <summary>shutdown(2).</summary>
    public virtual int Shutdown(int socket, int how) => Libc.Answer(Libc.shutdown_(socket, how));

    /// <summary>epoll_ctl(2).</summary>
    public virtual int Watch(int epoll, int operation, int descriptor, byte* change) =>
        Libc.Answer(Libc.epoll_ctl_(epoll, operation, descriptor, change));

    /// <summary>epoll_wait(2): waits for ever with -1 milliseconds, not at all with 0.</summary>
    public virtual int Wait(int epoll, byte* events, int max, int milliseconds) => milliseconds == 0
        ? Libc.Answer(Libc.epoll_wait_now(epoll, events, max, 0))
        : Libc.epoll_wait_(epoll, events, max, milliseconds);

    /// <summary>
    /// io_uring_enter(2): submits, and sleeps until so many completions are there, or so many milliseconds have passed; -1 is for ever.
    /// </summary>
    public virtual nint EnterRing(int ring, uint submit, uint completions, int milliseconds) =>
        LibcRing.Enter(ring, submit, completions, milliseconds);

    /// <summary>An operation on a connection or listener, about to be submitted to a ring.</summary>
    /// <param name="entry">Has its operation, descriptor and user data; the rest comes behind.</param>
    /// <param name="length">Bytes to be moved.</param>
    public virtual void Prepare(ref Submission entry, ref nint length)
    {
    }

    /// <summary>What a ring's operation has come to: as the kernel says.</summary>
    public virtual int ResultOf(in Completion completion) => completion.Result;
}
