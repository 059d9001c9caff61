namespace Doorbell;

/// <summary>What carries sessions in a <see cref="ServerModel"/>.</summary>
public enum LaneKind
{
    /// <summary>A task on the thread pool.</summary>
    Task,
}

/// <summary>How a server spreads its connections: three facts. No service knows or cares.</summary>
/// <param name="Name">As the command line names it.</param>
/// <param name="Lane">What a lane is.</param>
/// <param name="Lanes">How many lanes at most; <see cref="AsManyAsConnections"/> for one a connection, within the server's limit.</param>
/// <param name="SessionsPerLane">How many sessions a lane carries at once.</param>
public sealed record ServerModel(string Name, LaneKind Lane, int Lanes, int SessionsPerLane)
{
    /// <summary>As a number of <see cref="Lanes"/>: one for each connection.</summary>
    public const int AsManyAsConnections = int.MaxValue;

    /// <summary>A task for each connection, on System.Net.Sockets' asynchronous calls. Runs everywhere.</summary>
    public static ServerModel Async { get; } = new("async", LaneKind.Task, AsManyAsConnections, 1);
}
