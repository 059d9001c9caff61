namespace Doorbell.Lab.Models;

/// <summary>All that was measured of one server model.</summary>
/// <param name="model">Its name.</param>
public sealed class ModelResult(string model)
{
    private readonly List<Slice> _connectEachTime = [];
    private readonly List<Slice> _pingPong = [];
    private readonly List<TimeSpan?> _waits = [];

    /// <summary>The model's name.</summary>
    public string Model => model;

    /// <summary>Why its server did not start; null if it did.</summary>
    public string? Error { get; internal set; }

    /// <summary>The rounds with a new connection for each request.</summary>
    public IReadOnlyList<Slice> ConnectEachTime => _connectEachTime;

    /// <summary>The rounds with connections that are kept.</summary>
    public IReadOnlyList<Slice> PingPong => _pingPong;

    /// <summary>How many of the load's clients the server serves at once.</summary>
    public int AtOnce { get; internal set; }

    /// <summary>What idle connections cost; null if its server did not start.</summary>
    public IdleMemory? Idle { get; internal set; }

    /// <summary>
    /// A new client's wait for each of <see cref="ModelsBench.SlowClientCounts"/>; null if it was not answered within the cap.
    /// </summary>
    public IReadOnlyList<TimeSpan?> Waits => _waits;

    internal void AddRound(Slice connectEachTime, Slice pingPong)
    {
        _connectEachTime.Add(connectEachTime);
        _pingPong.Add(pingPong);
    }

    internal void AddWait(TimeSpan? wait) => _waits.Add(wait);
}
