namespace Doorbell.Bench;

/// <summary>What a server is asked to serve.</summary>
internal enum Service
{
    /// <summary>Lines in capitals, over TCP.</summary>
    Capitalize,

    /// <summary>What comes goes back, over TCP.</summary>
    Echo,

    /// <summary>Datagrams in capitals.</summary>
    Datagrams,
}
