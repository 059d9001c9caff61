namespace Doorbell.Testing;

/// <summary>Why a <see cref="SimulatedClient"/>'s connection failed.</summary>
public enum ConnectionFailure
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>Nobody listens there (ECONNREFUSED).</summary>
    Refused,

    /// <summary>The server reset it (ECONNRESET).</summary>
    Reset,

    /// <summary>
    /// What was sent, or the SYN, was not heard however often it was sent (ETIMEDOUT): 131 seconds for a SYN and 15 minutes for bytes, as
    /// under Linux.
    /// </summary>
    TimedOut,
}
