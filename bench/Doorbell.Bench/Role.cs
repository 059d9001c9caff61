namespace Doorbell.Bench;

/// <summary>What a server is in the comparison: only without ours or a yardstick has a run failed.</summary>
internal enum Role
{
    Ours,
    Yardstick,
    Peer,
}
