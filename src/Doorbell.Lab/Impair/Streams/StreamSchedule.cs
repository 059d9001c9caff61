using Doorbell.Lab.Impair.Faults;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// When each piece of one direction of a connection arrives: at the rate, then after the delay and its jitter, whose chances are a
/// <see cref="Link"/>'s. Nothing overtakes.
/// </summary>
internal sealed class StreamSchedule(long seed)
{
    private Link _link = new(LinkOptions.Perfect, seed);
    private LinkOptions? _asked;
    private TimeSpan _busyUntil = TimeSpan.MinValue;
    private long _pieces;

    /// <summary>How many bytes may be on their way: with a rate, what fills the way and the queue before it; else a full window.</summary>
    public static long MaxBytes(LinkOptions options)
    {
        double way = options.BitsPerSecond / 8.0 * (options.Delay + options.Jitter).TotalSeconds;
        return options.BitsPerSecond == 0 ? ChunkQueue.MaxBytes : (long)Math.Min(ChunkQueue.MaxBytes, way + options.QueueBytes);
    }

    /// <summary>How many bytes of so many are the next piece: of a slow stream so few that they come smoothly.</summary>
    public int PieceOf(int bytes, WayFaults faults)
    {
        const int PiecesPerSecond = 50;
        int piece = Math.Min(bytes, faults.Stream.SliceBytes + Deviation(faults.Stream.SliceVariation) ?? int.MaxValue);
        long perPiece = faults.Link.BitsPerSecond / 8 / PiecesPerSecond;
        return faults.Link.BitsPerSecond == 0 ? piece : (int)Math.Clamp(perPiece, 1, piece);
    }

    /// <summary>A piece has passed.</summary>
    public void NextPiece() => _pieces++;

    /// <summary>When a piece arrives that was received at a time not before the last one's.</summary>
    public TimeSpan ArrivalOf(TimeSpan receivedAt, int bytes, LinkOptions options)
    {
        if (_asked != options)
        {
            // A stream loses nothing, and its rate counts no headers. What a slower way made late is not late any more.
            _asked = options;
            _busyUntil = TimeSpan.MinValue;
            LinkOptions delays = LinkOptions.Perfect with
            {
                Delay = options.Delay, Jitter = options.Jitter, JitterDistribution = options.JitterDistribution,
            };
            _link = new Link(delays, seed);
        }

        if (_busyUntil < receivedAt)
        {
            _busyUntil = receivedAt;
        }

        if (options.BitsPerSecond > 0)
        {
            _busyUntil += TimeSpan.FromTicks((long)(bytes * 8.0 * TimeSpan.TicksPerSecond / options.BitsPerSecond));
        }

        return _link.Next(_busyUntil, bytes).ArrivesAt;
    }

    /// <summary>By how much the next piece differs: the same until it has passed.</summary>
    private int Deviation(int most) => most == 0 ? 0 : (int)Math.Round(((LinkChance.Of(seed, _pieces) * 2) - 1) * most);
}
