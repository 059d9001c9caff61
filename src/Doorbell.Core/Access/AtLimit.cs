namespace Doorbell;

/// <summary>What becomes of a connection past a server's <c>MaxConnections</c>.</summary>
public enum AtLimit
{
    /// <summary>It waits in the kernel's backlog until there is a place.</summary>
    LeaveInBacklog,

    /// <summary>It is accepted, told the server's <c>RefusalLine</c> and closed.</summary>
    Close,

    /// <summary>
    /// It is accepted, and the connection that has been at rest for the longest makes room for it: that one is closed
    /// (<see cref="CloseReason.MadeRoom"/>). Where none is at rest the new one waits.
    /// </summary>
    MakeRoom,
}
