namespace Doorbell.Lab.Load;

/// <summary>How far a load is.</summary>
internal enum LoadPhase
{
    /// <summary>Connections are being opened; nothing is asked.</summary>
    Opening,

    /// <summary>It asks: in the ramp, the warm-up, and the time that is measured.</summary>
    Asking,

    /// <summary>It asks no more, and waits for answers.</summary>
    Finishing,

    /// <summary>Connections are being closed.</summary>
    Closing,
}
