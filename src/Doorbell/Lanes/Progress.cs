namespace Doorbell.Lanes;

/// <summary>How far a connection got without waiting.</summary>
internal enum Progress
{
    /// <summary>It waits for the kernel, its bell, its deadline or the drain.</summary>
    Waiting,

    /// <summary>Its share of this round is used up: the lane serves its others first.</summary>
    Busy,

    /// <summary>It is to be closed.</summary>
    Over,

    /// <summary>Its handler has asked for connections, which the lane takes first (<see cref="Sessions.Want.Connect"/>).</summary>
    Connecting,
}
