namespace Doorbell.Cli.Printing;

/// <summary>What was found at an endpoint.</summary>
internal enum ProbeState
{
    /// <summary>A connection was accepted, or a datagram answered, or a unix datagram socket is bound there.</summary>
    Open,

    /// <summary>The machine answered that nobody serves there.</summary>
    Closed,

    /// <summary>
    /// Nothing came back. Behind a connection nobody says so but a filter; behind a datagram it is also what a server does that has nothing
    /// to answer.
    /// </summary>
    Silent,

    /// <summary>It could not be tried, or not be reached: no such name, no route, no permission.</summary>
    Failed,
}

/// <summary>What was found at an endpoint, after how long, and why.</summary>
/// <param name="Endpoint">Where.</param>
/// <param name="State">What.</param>
/// <param name="Time">From the start of the last try to its answer.</param>
/// <param name="Error">The name of the system's answer, as in <c>ECONNREFUSED</c>; null if there was none.</param>
/// <param name="Why">A line for people where it is not open; null where it is.</param>
/// <param name="Greeting">The first line that the service said without being asked; null if none was waited for, or none came.</param>
internal sealed record ProbeResult(
    Endpoint Endpoint, ProbeState State, TimeSpan Time, string? Error = null, string? Why = null, string? Greeting = null);
