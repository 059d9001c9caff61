namespace Doorbell;

/// <summary>What a connection is at.</summary>
public enum ConnectionState
{
    /// <summary>It waits for input of its peer.</summary>
    Reading,

    /// <summary>Its handler works, and takes no input until it has done (<see cref="Next.Park"/>).</summary>
    Parked,

    /// <summary>Output waits for its peer to take it.</summary>
    Sending,

    /// <summary>The conversation is over: what is left is sent, and the peer's end is waited for.</summary>
    Closing,

    /// <summary>A process has it, which alone knows more.</summary>
    InProcess,
}
