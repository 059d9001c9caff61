namespace Doorbell.Sessions;

/// <summary>
/// Keeps one forged datagram from going round for ever between two servers that answer each other, or between one and itself
/// (CVE-1999-0103, CVE-2024-2169). Pure, of fixed size, and without an allocation once it is made.
/// </summary>
/// <remarks>
/// A loop lives on our answers: one that is left out ends it. So a peer that has been answered very often without a rest gets no answer for
/// a moment: until nothing has come from it for 10 ms, in which every loop with it has died, or 100 ms at most. A client asks again, and
/// the next such moment is many answers away: of <c>n</c> answers it loses those of about log(n) moments. A peer from which nothing comes
/// for a second has rested: its count begins anew. So a loop that lasts has less than one datagram a second. Peers share 1,024 counts by
/// their hash, so nobody can push a loop's count out.
/// </remarks>
public sealed class LoopGuard
{
    /// <summary>Peers that are counted apart; 32 bytes each.</summary>
    private const int Counts = 1024;

    /// <summary>Each moment of silence is so many times as many answers away as the one before.</summary>
    private const int Growth = 4;

    private const int MostAnswers = 1 << 20;

    /// <summary>
    /// A loop never rests for so long, whether through a program for each datagram or around the world. A client that asks at a steady rate
    /// can't be told from a slow loop, and now and then loses an answer to that.
    /// </summary>
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(1);

    /// <summary>Longer than a datagram takes once around within a house.</summary>
    private static readonly TimeSpan _quiet = TimeSpan.FromMilliseconds(10);

    /// <summary>A client that sends whether it is answered or not is never quiet.</summary>
    private static readonly TimeSpan _longestSilence = TimeSpan.FromMilliseconds(100);

    private readonly int _first;
    private readonly Count[] _counts = new Count[Counts];
    private DatagramDrop? _refusal;
    private int _current;

    /// <summary>One for a socket.</summary>
    /// <param name="first">After so many answers comes the first moment of silence; positive.</param>
    public LoopGuard(int first)
    {
        _first = first;
        _counts.AsSpan().Fill(new Count { Next = first });
    }

    /// <summary>
    /// Ports at which whoever answers answers everything: echo 7, daytime 13, quotation of the day 17, character generator 19, time 37 (RFC
    /// 862 to 868). Port 0 is nobody's: an answer can't be sent there.
    /// </summary>
    private static bool IsReflector(PeerAddress peer) =>
        peer.Port is 0 or 7 or 13 or 17 or 19 or 37 && peer.Kind is AddressKind.IPv4 or AddressKind.IPv6;

    /// <summary>Whether a datagram's source is the socket itself that has received it.</summary>
    /// <param name="path">The datagram's.</param>
    /// <param name="bound">The address that the socket is bound to.</param>
    private static bool IsOwn(in DatagramPath path, PeerAddress bound)
    {
        PeerAddress peer = path.Peer;
        if (peer.Kind is AddressKind.Unix)
        {
            return peer == bound && peer.Path!.Length > 0;
        }

        if (peer.Port != bound.Port || peer.Port == 0)
        {
            return false;
        }

        // A socket that is bound to all addresses has its port at each of this machine's own.
        return (peer.Bits == bound.Bits && peer.Kind == bound.Kind)
            || (peer.Bits == path.Local.Bits && peer.Kind == path.Local.Kind)
            || (bound.Bits == 0 && peer.IsLoopback);
    }

    /// <summary>Why a peer is never answered; null if it is.</summary>
    /// <param name="path">The datagram's.</param>
    /// <param name="bound">The address that the socket is bound to.</param>
    public static DatagramDrop? RefusalOf(in DatagramPath path, PeerAddress bound) =>
        IsReflector(path.Peer) ? DatagramDrop.ReflectorPort : IsOwn(path, bound) ? DatagramDrop.OwnAddress : null;

    /// <summary>The next answers go over this path.</summary>
    /// <param name="path">The datagram's.</param>
    /// <param name="bound">The address that the socket is bound to.</param>
    public void Turn(in DatagramPath path, PeerAddress bound)
    {
        _refusal = RefusalOf(path, bound);
        _current = NumberOf(path.Peer);
    }

    /// <summary>Whether one more answer may go over the path. It is counted.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    /// <param name="why">If not.</param>
    public bool MayAnswer(TimeSpan now, out DatagramDrop why)
    {
        if (_refusal is { } refusal)
        {
            why = refusal;
            return false;
        }

        why = DatagramDrop.SuspectedLoop;
        ref Count count = ref _counts[_current];
        if (now - count.Last >= _rest)
        {
            count.Answers = 0;
            count.Next = _first;
        }

        count.Last = now;
        if (now < count.SilentUntil && now - count.LastLeftOut < _quiet)
        {
            count.LastLeftOut = now;
            return false;
        }

        if (count.Answers < count.Next)
        {
            count.Answers++;
            return true;
        }

        count.Answers = 0;
        count.Next = (int)Math.Min(count.Next * (long)Growth, Math.Max(MostAnswers, _first));
        count.SilentUntil = now + _longestSilence;
        count.LastLeftOut = now;
        return false;
    }

    private static int NumberOf(PeerAddress peer)
    {
        ulong mixed = (ulong)peer.Bits ^ ((ulong)(peer.Bits >> 64) * 0xff51afd7ed558ccd) ^ ((ulong)peer.Port << 48) ^ peer.ScopeId;
        if (peer.Path is { } path)
        {
            mixed = (ulong)string.GetHashCode(path, StringComparison.Ordinal);
        }

        return (int)((mixed * 0x9e3779b97f4a7c15) >> 54);
    }

    private struct Count
    {
        public TimeSpan Last;
        public TimeSpan SilentUntil;
        public TimeSpan LastLeftOut;
        public int Answers;
        public int Next;
    }
}
