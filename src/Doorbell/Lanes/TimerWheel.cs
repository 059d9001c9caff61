using System.Numerics;

namespace Doorbell.Lanes;

/// <summary>What a <see cref="TimerWheel"/> holds: it links its entries through themselves and allocates nothing.</summary>
internal abstract class Timed
{
    /// <summary>It has come out of its event loop's wheel, at its time or later.</summary>
    public abstract void OnTimer(TimeSpan now);

    /// <summary>When it is to come out, in ticks of the wheel; <see cref="TimerWheel.Never"/> while it is not in.</summary>
    internal long Due { get; set; } = TimerWheel.Never;

    internal int WheelSlot { get; set; }

    internal Timed? Before { get; set; }

    internal Timed? Behind { get; set; }
}

/// <summary>
/// A lane's timers: a hierarchical timing wheel (Varghese and Lauck, 1987) of ticks of a millisecond, nine levels of 64 slots. An
/// entry goes into the level of the highest digit, to the base 64, in which its time differs from now, and comes down as that digit
/// is reached. To put in, take out and take the next due costs the same however many there are.
/// </summary>
/// <remarks>
/// A deadline that recedes with every byte is not moved: its lane looks at it again when the old one comes out. So timers cost
/// nothing per request.
/// </remarks>
internal sealed class TimerWheel
{
    public const long Never = long.MaxValue;

    /// <summary>64 to the 9th milliseconds: longer than any <see cref="TimeSpan"/>.</summary>
    private const int Levels = 9;
    private const int DigitBits = 6;
    private const int Slots = 1 << DigitBits;

    private readonly Timed?[] _slots = new Timed?[Levels * Slots];
    private readonly ulong[] _occupied = new ulong[Levels];
    private readonly TimeSpan _origin;
    private long _now;

    public TimerWheel(TimeSpan now) => _origin = now;

    /// <summary>
    /// Sees to it that <paramref name="entry"/> comes out at <paramref name="due"/> at the latest; but never in the tick that is being
    /// taken out, or one that is always due again would be taken for ever.
    /// </summary>
    public void Ensure(Timed entry, TimeSpan due)
    {
        if (due == TimeSpan.MaxValue)
        {
            return;
        }

        long tick = Math.Max(TickOf(due, roundUp: true), _now + 1);
        if (tick < entry.Due)
        {
            Remove(entry);
            Put(entry, tick);
        }
    }

    public void Remove(Timed entry)
    {
        if (entry.Due == Never)
        {
            return;
        }

        if (entry.Before is { } before)
        {
            before.Behind = entry.Behind;
        }
        else
        {
            _slots[entry.WheelSlot] = entry.Behind;
            if (entry.Behind is null)
            {
                _occupied[entry.WheelSlot / Slots] &= ~(1UL << (entry.WheelSlot % Slots));
            }
        }

        if (entry.Behind is { } behind)
        {
            behind.Before = entry.Before;
        }

        entry.Before = entry.Behind = null;
        entry.Due = Never;
    }

    /// <summary>Takes out an entry that is due; null if none is.</summary>
    public Timed? TakeDue(TimeSpan now)
    {
        long until = TickOf(now, roundUp: false);
        while (NextSlot() is { } next && next.Tick <= until)
        {
            _now = Math.Max(_now, next.Tick);
            Timed entry = _slots[next.Slot]!;
            if (entry.Due <= _now)
            {
                Remove(entry);
                return entry;
            }

            // All of them at once: as long as one is left, this slot is sooner than those below it.
            BringDown(next.Slot);
        }

        _now = Math.Max(_now, until);
        return null;
    }

    /// <summary>How long until <see cref="TakeDue"/> is worth calling, in milliseconds rounded up; -1 for ever.</summary>
    public int MillisecondsToNext(TimeSpan now)
    {
        if (NextSlot() is not { } next)
        {
            return -1;
        }

        double wait = (_origin + TimeSpan.FromMilliseconds(next.Tick) - now).TotalMilliseconds;
        return (int)Math.Clamp(Math.Ceiling(wait), 0, int.MaxValue);
    }

    private void BringDown(int slot)
    {
        Timed? entry = _slots[slot];
        _slots[slot] = null;
        _occupied[slot / Slots] &= ~(1UL << (slot % Slots));
        while (entry is not null)
        {
            Timed? behind = entry.Behind;
            entry.Before = entry.Behind = null;
            Put(entry, entry.Due);
            entry = behind;
        }
    }

    private void Put(Timed entry, long due)
    {
        long at = Math.Max(due, _now);
        int level = at == _now ? 0 : BitOperations.Log2((ulong)(at ^ _now)) / DigitBits;
        int slot = (level * Slots) + (int)((at >> (level * DigitBits)) & (Slots - 1));
        entry.Due = due;
        entry.WheelSlot = slot;
        entry.Behind = _slots[slot];
        if (entry.Behind is { } behind)
        {
            behind.Before = entry;
        }

        _slots[slot] = entry;
        _occupied[level] |= 1UL << (slot % Slots);
    }

    /// <summary>The occupied slot that is reached first, and when: lower levels are always sooner.</summary>
    private (int Slot, long Tick)? NextSlot()
    {
        for (int level = 0; level < Levels; level++)
        {
            if (_occupied[level] != 0)
            {
                int digit = BitOperations.TrailingZeroCount(_occupied[level]);
                int shift = level * DigitBits;
                long higher = _now >> (shift + DigitBits) << (shift + DigitBits);
                return ((level * Slots) + digit, higher + ((long)digit << shift));
            }
        }

        return null;
    }

    private long TickOf(TimeSpan time, bool roundUp)
    {
        long ticks = time.Ticks - _origin.Ticks;
        return ticks <= 0 ? 0 : (ticks + (roundUp ? TimeSpan.TicksPerMillisecond - 1 : 0)) / TimeSpan.TicksPerMillisecond;
    }
}
