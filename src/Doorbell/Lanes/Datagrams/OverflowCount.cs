using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Datagrams;

/// <summary>Counts what the kernel dropped since a socket's receive buffer was full, and warns once a minute at most.</summary>
internal sealed class OverflowCount(DoorSocket bound, Ledger ledger, ILogger log)
{
    private static readonly TimeSpan _logInterval = TimeSpan.FromMinutes(1);

    private uint _counted = bound.DroppedBefore;
    private long _unlogged;
    private TimeSpan _loggedAt = TimeSpan.MinValue;

    /// <summary>
    /// For a socket whose drops are to be counted here: not for a unix socket, whose senders wait or are told, and not for one of which
    /// the kernel says nothing.
    /// </summary>
    public static OverflowCount? Of(DoorSocket bound, Ledger ledger, ILogger log) =>
        OperatingSystem.IsLinux() && !bound.IsCountedElsewhere && !bound.IsListener && !bound.Door.Endpoint.IsUnix
            ? new OverflowCount(bound, ledger, log)
            : null;

    /// <summary>The kernel's count is now so much.</summary>
    /// <param name="total">Since the socket was made; wraps around (32 bits).</param>
    /// <param name="now">The lane's monotonic time.</param>
    public void Update(uint total, TimeSpan now)
    {
        // A message tells the count of when it was queued, which may be less than what is known by now: the difference is then negative.
        int more = unchecked((int)(total - _counted));
        if (more <= 0)
        {
            return;
        }

        _counted = total;
        _unlogged += more;
        ledger.DatagramsDropped(DatagramDrop.ReceiveBufferFull, more);
        if (_loggedAt == TimeSpan.MinValue || now - _loggedAt >= _logInterval)
        {
            ServerLog.ReceiveBufferFull(log, bound.Door.Endpoint, _unlogged);
            _unlogged = 0;
            _loggedAt = now;
        }
    }

    /// <summary>Asks the kernel: its messages tell only what was dropped before them.</summary>
    /// <param name="now">The lane's monotonic time.</param>
    public void Ask(TimeSpan now)
    {
        if (!bound.Released.IsCompleted && LibcMessages.DropsOf(bound.Descriptor) is { } total)
        {
            Update(total, now);
        }
    }
}
