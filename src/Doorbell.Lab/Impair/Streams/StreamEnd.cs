namespace Doorbell.Lab.Impair.Streams;

/// <summary>How one direction of a connection ended.</summary>
internal enum StreamEnd
{
    /// <summary>The receiver has been told.</summary>
    Orderly,

    /// <summary>A peer was reset, or has gone.</summary>
    Reset,

    /// <summary>Its bytes were up.</summary>
    ResetAsked,
}
