using System.Runtime.InteropServices;
using static Doorbell.Native.IoUringStructures;

namespace Doorbell.Native;

/// <summary>
/// An io_uring(7) instance by raw system calls and mapped rings. One thread makes it, submits and waits: the kernel is told so, and in
/// return does its work only when that thread waits (IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN: Linux 6.1).
/// </summary>
internal sealed unsafe partial class IoUring : IDisposable
{
    private const nint SetupCall = 425;
    private const nint RegisterCall = 427;

    private const uint SetupCompletions = 1 << 3;
    private const uint SetupClamp = 1 << 4;
    private const uint SetupSubmitAll = 1 << 7;
    private const uint SetupSingleIssuer = 1 << 12;
    private const uint SetupDeferTaskRun = 1 << 13;
    private const uint RegisterProvidedBuffers = 22;
    private const int MapShared = 1;
    private const int MapPopulate = 0x8000;
    private const int ReadWrite = 3;
    private const long EntriesAt = 0x10000000;

    private readonly int _descriptor;
    private readonly Submission* _entries;
    private readonly nuint _entriesBytes;
    private readonly byte* _rings;
    private readonly nuint _ringsBytes;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly Completion* _completions;
    private uint _tail;
    private uint _submitted;

    /// <param name="submissions">Entries that can wait to be submitted; a power of 2.</param>
    /// <param name="completions">Completions that the ring holds; those beyond it the kernel keeps until there is room.</param>
    /// <exception cref="NetworkException">The system refuses it.</exception>
    public IoUring(uint submissions, uint completions)
    {
        Parameters parameters = new()
        {
            Flags = SetupCompletions | SetupClamp | SetupSubmitAll | SetupSingleIssuer | SetupDeferTaskRun,
            CompletionEntries = completions,
        };
        _descriptor = (int)syscall(SetupCall, (nint)submissions, (nint)(&parameters), 0, 0, 0, 0);
        if (_descriptor < 0)
        {
            throw NetworkException.FromErrno("io_uring_setup", "a lane", LinuxErrno.Last);
        }

        nuint submissionBytes = parameters.SubmissionOffsets.Array + (parameters.SubmissionEntries * sizeof(uint));
        nuint completionBytes = parameters.CompletionOffsets.Entries + (parameters.CompletionEntries * (nuint)sizeof(Completion));
        _ringsBytes = nuint.Max(submissionBytes, completionBytes);
        _entriesBytes = parameters.SubmissionEntries * (nuint)sizeof(Submission);
        _rings = (byte*)Map(_ringsBytes, 0);
        _entries = (Submission*)Map(_entriesBytes, EntriesAt);
        _submissionHead = (uint*)(_rings + parameters.SubmissionOffsets.Head);
        _submissionTail = (uint*)(_rings + parameters.SubmissionOffsets.Tail);
        _submissionMask = parameters.SubmissionEntries - 1;
        _completionHead = (uint*)(_rings + parameters.CompletionOffsets.Head);
        _completionTail = (uint*)(_rings + parameters.CompletionOffsets.Tail);
        _completionMask = parameters.CompletionEntries - 1;
        _completions = (Completion*)(_rings + parameters.CompletionOffsets.Entries);

        // The queue is a ring of indices into the entries: each is its own for good.
        uint* array = (uint*)(_rings + parameters.SubmissionOffsets.Array);
        for (uint i = 0; i < parameters.SubmissionEntries; i++)
        {
            array[i] = i;
        }
    }

    /// <summary>An empty entry, to be submitted with the next <see cref="Enter"/>.</summary>
    /// <exception cref="NetworkException">The system takes no more.</exception>
    public ref Submission Next()
    {
        // Not once only: an entry that was not submitted since a signal came in between must not be overwritten.
        while (_tail - Volatile.Read(ref *_submissionHead) > _submissionMask)
        {
            Enter(0, 0);
        }

        ref Submission entry = ref _entries[_tail & _submissionMask];
        entry = default;
        _tail++;
        return ref entry;
    }

    /// <summary>
    /// As <see cref="Next()"/>, for an operation that accepts, or moves at most so many bytes: the backend may make them fewer.
    /// </summary>
    public ref Submission Next(ref nint length, byte operation, int descriptor, int token)
    {
        ref Submission entry = ref Next();
        entry.Operation = operation;
        entry.UserData = Operation.UserData(operation, token);
        entry.Descriptor = descriptor;
        SystemCalls.Backend.Prepare(ref entry, ref length);
        return ref entry;
    }

    /// <summary>Once a descriptor is readable, a completion says so.</summary>
    public void Poll(int descriptor, ulong userData)
    {
        ref Submission poll = ref Next();
        poll.Operation = Operation.Poll;
        poll.Descriptor = descriptor;
        poll.OperationFlags = Epoll.In;
        poll.UserData = userData;
    }

    /// <summary>Cancels the operation that was submitted with these data.</summary>
    public void Cancel(ulong userData)
    {
        ref Submission cancel = ref NextCancel();
        cancel.Address = userData;
    }

    /// <summary>Cancels all operations on a descriptor.</summary>
    public void CancelAllOf(int descriptor)
    {
        ref Submission cancel = ref NextCancel();
        cancel.OperationFlags = Operation.CancelAllOfDescriptor;
        cancel.Descriptor = descriptor;
    }

    /// <summary>Cancels all operations that are under way.</summary>
    public void CancelAll()
    {
        ref Submission cancel = ref NextCancel();
        cancel.OperationFlags = Operation.CancelAny;
    }

    /// <summary>Closes a descriptor. There is no completion unless it fails.</summary>
    public void Close(int descriptor)
    {
        ref Submission close = ref Next();
        close.Operation = Operation.Close;
        close.Flags = Operation.SkipSuccess;
        close.Descriptor = descriptor;
        close.UserData = Operation.UserData(Operation.Close, 0);
    }

    /// <summary>Submits what waits, and sleeps until so many completions are there, or so many milliseconds; -1 is for ever.</summary>
    /// <exception cref="NetworkException">The system refuses it.</exception>
    public void Enter(uint completions, int milliseconds)
    {
        Volatile.Write(ref *_submissionTail, _tail);
        nint answer = SystemCalls.Backend.EnterRing(_descriptor, _tail - _submitted, completions, milliseconds);

        // Where something was submitted the answer is how much, whatever became of the wait.
        _submitted = Volatile.Read(ref *_submissionHead);
        if (answer < 0 && LinuxErrno.Last is not (Libc.Interrupted or Libc.TryAgain or Libc.Busy or Libc.TimerExpired))
        {
            throw NetworkException.FromErrno("io_uring_enter", "a lane", LinuxErrno.Last);
        }
    }

    /// <summary>Submits all that waits, though the system take less at once, or a signal come in between.</summary>
    /// <exception cref="NetworkException">The system refuses it.</exception>
    public void SubmitAll()
    {
        while (_submitted != _tail)
        {
            Enter(0, 0);
        }
    }

    /// <summary>The system takes no more: closes here the descriptors that it was to close.</summary>
    public void CloseUnsubmitted()
    {
        for (; _submitted != _tail; _submitted++)
        {
            ref Submission entry = ref _entries[_submitted & _submissionMask];
            if (entry.Operation == Operation.Close)
            {
                _ = Libc.close(entry.Descriptor);
            }
        }
    }

    /// <summary>The next completion; false if there is none yet.</summary>
    public bool TryTake(out Completion completion)
    {
        uint head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        completion = _completions[head & _completionMask];
        completion.Result = SystemCalls.Backend.ResultOf(completion);
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    /// <summary>Registers a ring of provided buffers; 0, or errno.</summary>
    public int TryRegister(void* buffers, uint count, ushort group)
    {
        BufferRegistration registration = new() { Address = (ulong)buffers, Entries = count, Group = group };
        return syscall(RegisterCall, _descriptor, (nint)RegisterProvidedBuffers, (nint)(&registration), 1, 0, 0) == 0 ? 0 : LinuxErrno.Last;
    }

    /// <summary>What is still under way ends some time later: whoever lent it memory waits for the completions first.</summary>
    public void Dispose()
    {
        if (_entries is not null)
        {
            _ = Libc.munmap(_entries, _entriesBytes);
        }

        if (_rings is not null)
        {
            _ = Libc.munmap(_rings, _ringsBytes);
        }

        _ = Libc.close(_descriptor);
    }

    private ref Submission NextCancel()
    {
        ref Submission cancel = ref Next();
        cancel.Operation = Operation.Cancel;
        cancel.UserData = Operation.UserData(Operation.Cancel, 0);
        return ref cancel;
    }

    private void* Map(nuint bytes, long offset)
    {
        void* memory = Libc.mmap(null, bytes, ReadWrite, MapShared | MapPopulate, _descriptor, offset);
        if ((nint)memory != -1)
        {
            return memory;
        }

        int errno = LinuxErrno.Last;
        Dispose();
        throw NetworkException.FromErrno("mmap", "a lane's io_uring", errno);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);
}
