using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>An epoll(7) instance. One thread waits; that thread alone adds, changes and removes.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint In = 1;
    public const uint Urgent = 2;
    public const uint Out = 4;
    public const uint Error = 8;
    public const uint HangUp = 0x10;
    public const uint PeerHangUp = 0x2000;

    /// <summary>Of several that wait for one listener, wake one (Linux 4.5).</summary>
    public const uint Exclusive = 1u << 28;
    public const uint Edge = 1u << 31;

    private const int MaxEvents = 256;
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;

    // struct epoll_event is packed on x86-64 alone (epoll_ctl(2), sys/epoll.h).
    private static readonly bool _packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int _size = _packed ? 12 : 16;
    private static readonly int _tokenAt = _packed ? 4 : 8;

    private readonly int _descriptor;
    private readonly byte* _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * _size));

    /// <exception cref="NetworkException">No descriptor or memory is left.</exception>
    public Epoll()
    {
        _descriptor = Libc.epoll_create1(Libc.CloseOnExec);
        if (_descriptor < 0)
        {
            throw NetworkException.FromErrno("epoll_create1", "a lane", LinuxErrno.Last);
        }
    }

    /// <summary>Readable when one of its own is ready.</summary>
    public int Descriptor => _descriptor;

    /// <summary>0, or errno.</summary>
    public int TryWatch(int descriptor, uint events, int token) => Control(Add, descriptor, events, token);

    public void Watch(int descriptor, uint events, int token)
    {
        if (TryWatch(descriptor, events, token) is not 0 and int errno)
        {
            throw NetworkException.FromErrno("epoll_ctl", $"descriptor {descriptor}", errno);
        }
    }

    public void Change(int descriptor, uint events, int token) => Control(Modify, descriptor, events, token);

    public void Forget(int descriptor) => Control(Delete, descriptor, 0, 0);

    /// <summary>How many events there are, 0 after <paramref name="milliseconds"/>; -1 is for ever.</summary>
    public int Wait(int milliseconds)
    {
        int count = SystemCalls.Backend.Wait(_descriptor, _events, MaxEvents, milliseconds);
        return count >= 0 || LinuxErrno.Last == Libc.Interrupted
            ? Math.Max(count, 0)
            : throw NetworkException.FromErrno("epoll_wait", "a lane", LinuxErrno.Last);
    }

    /// <summary>An event of the last <see cref="Wait"/>.</summary>
    public (uint Events, int Token) this[int index]
    {
        get
        {
            byte* happened = _events + (index * _size);
            return (*(uint*)happened, *(int*)(happened + _tokenAt));
        }
    }

    public void Dispose()
    {
        _ = Libc.close(_descriptor);
        NativeMemory.Free(_events);
    }

    private int Control(int operation, int descriptor, uint events, int token)
    {
        byte* change = stackalloc byte[16];
        *(uint*)change = events;
        *(long*)(change + _tokenAt) = token;
        return SystemCalls.Backend.Watch(_descriptor, operation, descriptor, change) == 0 ? 0 : LinuxErrno.Last;
    }
}
