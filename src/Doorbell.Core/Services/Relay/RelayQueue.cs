using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// One direction of a relay: what one side has received and the other has not yet taken to send, in rented memory, so that an idle relay
/// owns none. One side adds and the other takes; they may be on two threads, and no lock is needed: each index is written by one of them.
/// </summary>
/// <param name="maxBytes">It takes no more than this.</param>
internal sealed class RelayQueue(int maxBytes)
{
    /// <summary>A power of two, so that the indexes may run over.</summary>
    private const uint Slots = 8;

    private readonly (byte[] Bytes, int Length)[] _slots = new (byte[], int)[Slots];
    private uint _added;
    private uint _taken;
    private int _bytes;
    private int _adderWaits;
    private volatile bool _ended;

    /// <summary>Where its memory counts: with the connection that was accepted, whose end is the other one's too.</summary>
    public HeldMemory? Memory { get; set; }

    /// <summary>
    /// Whether the adding side has said that nothing follows. It is read before <see cref="IsEmpty"/>: both together are the end.
    /// </summary>
    public bool IsEnded => _ended;

    public bool IsEmpty => Volatile.Read(ref _added) == Volatile.Read(ref _taken);

    /// <summary>Whether <see cref="Add"/> would take something.</summary>
    public bool HasRoom => Volatile.Read(ref _bytes) < maxBytes && Volatile.Read(ref _added) - Volatile.Read(ref _taken) < Slots;

    /// <summary>The adding side: takes as many of the bytes as there is room for.</summary>
    /// <returns>How many; fewer than offered if it is full.</returns>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        int count = HasRoom ? Math.Min(bytes.Length, maxBytes - Volatile.Read(ref _bytes)) : 0;
        if (count > 0)
        {
            byte[] copy = ArrayPool<byte>.Shared.Rent(count);
            bytes[..count].CopyTo(copy);
            Memory?.Add(copy.Length);
            _slots[_added % Slots] = (copy, count);
            Interlocked.Add(ref _bytes, count);
            Volatile.Write(ref _added, _added + 1);
        }

        return count;
    }

    /// <summary>The adding side: it is full, and who takes is to say so when it is no longer.</summary>
    /// <returns>False if there is room again already.</returns>
    public bool WaitForRoom()
    {
        Interlocked.Exchange(ref _adderWaits, 1);
        return !HasRoom || Interlocked.Exchange(ref _adderWaits, 0) == 0;
    }

    /// <summary>The adding side: nothing follows.</summary>
    public void End() => _ended = true;

    /// <summary>The taking side: moves what is first to the end of an output.</summary>
    /// <returns>False if there is nothing.</returns>
    public bool TryMoveTo(OutputBuffer output)
    {
        if (IsEmpty)
        {
            return false;
        }

        ref (byte[] Bytes, int Length) slot = ref _slots[_taken % Slots];
        (byte[] bytes, int length) = slot;
        output.Write(bytes.AsSpan(0, length));
        slot = default;
        Memory?.Add(-bytes.Length);
        ArrayPool<byte>.Shared.Return(bytes);
        Interlocked.Add(ref _bytes, -length);
        Volatile.Write(ref _taken, _taken + 1);
        return true;
    }

    /// <summary>The taking side, after it has taken: whether the adding side waits for that. It waits no more then.</summary>
    public bool TakeWait()
    {
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref _adderWaits) != 0 && Interlocked.Exchange(ref _adderWaits, 0) != 0;
    }
}
