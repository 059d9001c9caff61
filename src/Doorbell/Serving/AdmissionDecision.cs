namespace Doorbell.Serving;

/// <summary>Whether a peer may come in; if not, why.</summary>
internal enum AdmissionDecision
{
    Admitted,

    /// <summary>
    /// As many connections are open as may be, in all or at the door (<see cref="ServerOptions.MaxConnections"/>,
    /// <see cref="DoorLimits.MaxConnections"/>).
    /// </summary>
    Full,

    /// <summary>The peer's address has as many as it may have (<see cref="ServerOptions.MaxConnectionsPerAddress"/>).</summary>
    TooManyFromAddress,

    /// <summary>The peer's address may not come in at this door (<see cref="DoorOptions.Access"/>).</summary>
    Denied,
}
