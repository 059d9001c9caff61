using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>One direction of all connections: how bad it is, and what passed. Any thread may use it.</summary>
internal sealed class StreamWay(string name, LiveFaults faults, long seed)
{
    private long _received;
    private long _forwarded;
    private long _discarded;

    /// <summary><c>up</c>, from clients to the upstream, or <c>down</c>.</summary>
    public string Name { get; } = name;

    public LiveFaults Faults { get; } = faults;

    /// <summary>Of the chances by which a connection has the faults; both directions' is the same.</summary>
    public long Seed { get; } = seed;

    /// <summary>Bytes that came.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Bytes sent on.</summary>
    public long Forwarded => Interlocked.Read(ref _forwarded);

    /// <summary>Bytes whose receiver had gone.</summary>
    public long Discarded => Interlocked.Read(ref _discarded);

    public void CountReceived(long bytes) => Interlocked.Add(ref _received, bytes);

    public void CountForwarded(long bytes) => Interlocked.Add(ref _forwarded, bytes);

    public void CountDiscarded(long bytes) => Interlocked.Add(ref _discarded, bytes);
}
