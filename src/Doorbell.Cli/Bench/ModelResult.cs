namespace Doorbell.Cli;

/// <summary>All that was measured of one server model.</summary>
internal sealed class ModelResult(string model)
{
    public string Model => model;

    /// <summary>Why its server did not start; null if it did.</summary>
    public string? Error { get; set; }

    /// <summary>The rounds with a new connection for each request.</summary>
    public List<Slice> ConnectEachTime { get; } = [];

    /// <summary>The rounds with connections that are kept.</summary>
    public List<Slice> PingPong { get; } = [];

    /// <summary>How many of the load's clients the server serves at once.</summary>
    public int AtOnce { get; set; }

    public IdleMemory? Idle { get; set; }

    /// <summary>A new client's wait for each number of slow clients; null if it was not answered within the cap.</summary>
    public List<TimeSpan?> Waits { get; } = [];
}
