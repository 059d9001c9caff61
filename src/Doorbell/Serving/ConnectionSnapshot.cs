namespace Doorbell;

/// <summary>One open connection of a server, as it was when <see cref="Server.Connections"/> was read.</summary>
public sealed record ConnectionSnapshot
{
    /// <summary>The number that logs and <see cref="ConnectionInfo.Id"/> name it by.</summary>
    public required long Id { get; init; }

    /// <summary>The endpoint where it came in.</summary>
    public required Endpoint Door { get; init; }

    /// <summary>Who is at the other end.</summary>
    public required PeerAddress Peer { get; init; }

    /// <summary>Our own address; null if a process has the connection.</summary>
    public PeerAddress? Local { get; init; }

    /// <summary>For how long it has been open.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>For how long no byte has moved; null if a process has the connection.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>What it is at.</summary>
    public required ConnectionState State { get; init; }

    /// <summary>Bytes that the session has received; null if a process has the connection.</summary>
    public long? BytesReceived { get; init; }

    /// <summary>Bytes that the kernel has taken from the session; null if a process has the connection.</summary>
    public long? BytesSent { get; init; }

    /// <summary>The process that serves it (<see cref="ServerModel.Process"/>, and programs); null if this one does.</summary>
    public int? ProcessId { get; init; }
}
