namespace Doorbell.Testing;

/// <summary>When TCP sends again and when it gives up, with Linux's constants (tcp(7), include/net/tcp.h).</summary>
internal static class Retransmission
{
    /// <summary>A segment is sent again so often, tcp_retries2: with the waits between, for 924.6 seconds.</summary>
    public const int MaxOfSegment = 15;

    /// <summary>
    /// A SYN is sent again so often: tcp_syn_linear_timeouts, which Linux has had since 6.5, and tcp_syn_retries. With the waits between,
    /// for 131 seconds (Documentation/networking/ip-sysctl.rst).
    /// </summary>
    public const int MaxOfSyn = LinearOfSyn + 6;

    /// <summary>So many waits are not doubled.</summary>
    private const int LinearOfSyn = 4;

    private static readonly TimeSpan _max = TimeSpan.FromSeconds(120);

    /// <summary>How long a segment is waited for that was sent so often: 200 ms, then twice as long each time.</summary>
    public static TimeSpan OfSegment(int sent) => Doubled(TimeSpan.FromMilliseconds(200), sent);

    /// <summary>How long an answer to a SYN is waited for that was sent so often: 1 s five times, then twice as long each time.</summary>
    public static TimeSpan OfSyn(int sent) => Doubled(TimeSpan.FromSeconds(1), Math.Max(sent - LinearOfSyn, 1));

    private static TimeSpan Doubled(TimeSpan first, int sent)
    {
        TimeSpan wait = first * (1 << (sent - 1));
        return wait < _max ? wait : _max;
    }
}
