namespace Doorbell.Lanes.Loops;

/// <summary>What an event loop's lane tells a connection.</summary>
internal enum News
{
    /// <summary>Its socket is ready, or the kernel has completed something.</summary>
    Socket,

    /// <summary>Its bell was rung.</summary>
    Ring,

    /// <summary>The server asks it to close.</summary>
    Asked,

    /// <summary>It had yielded, and its turn has come again.</summary>
    Yield,

    /// <summary>Its deadline may have come.</summary>
    Time,

    /// <summary>The server drains.</summary>
    Drain,

    /// <summary>The server aborts.</summary>
    Abort,
}
