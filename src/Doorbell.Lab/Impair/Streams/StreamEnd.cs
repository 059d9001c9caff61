namespace Doorbell.Lab.Impair.Streams;

/// <summary>Why a connection is over before both its directions have ended.</summary>
internal enum StreamEnd
{
    /// <summary>A peer has reset it, or has gone.</summary>
    Reset,

    /// <summary>As many bytes have passed as the settings let pass.</summary>
    ResetAsked,

    /// <summary>The same, and the peers are told an end.</summary>
    CloseAsked,

    /// <summary>The upstream can't be connected.</summary>
    Refused,

    /// <summary>It made room for another one.</summary>
    Evicted,
}
