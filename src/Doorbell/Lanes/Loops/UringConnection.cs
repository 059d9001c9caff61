using System.Buffers;
using Doorbell.Serving;

namespace Doorbell.Lanes.Loops;

/// <summary>A connection whose bytes io_uring moves: what the kernel has been asked to do and has not completed.</summary>
internal sealed class UringConnection : SocketConnection
{
    public UringConnection(in AcceptedSocket accepted, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
        : base(accepted, context, bell, pool)
    {
    }

    public UringConnection(in ConnectedSocket connected, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
        : base(connected, context, bell, pool)
    {
    }

    /// <summary>Its events' token, once the loop watches it.</summary>
    public int Token { get; set; } = -1;

    /// <summary>A receive is armed.</summary>
    public bool Receiving { get; set; }

    /// <summary>What is armed is no receive but a poll(2).</summary>
    public bool Polls { get; set; }

    /// <summary>The receive has been asked to end.</summary>
    public bool ReceiveCancelled { get; set; }

    /// <summary>A send reads the session's output.</summary>
    public bool Sending { get; set; }

    /// <summary>The loop watches its descriptor for failures.</summary>
    public bool IsWatched { get; set; }

    /// <summary>It is over as soon as the kernel is done with it.</summary>
    public bool Ending { get; set; }
}
