namespace Doorbell;

/// <summary>What becomes of a connection past a server's <c>MaxConnections</c>.</summary>
public enum AtLimit
{
    /// <summary>It waits in the kernel's backlog until there is a place.</summary>
    LeaveInBacklog,

    /// <summary>It is accepted, told the server's <c>RefusalLine</c> and closed.</summary>
    Close,
}
