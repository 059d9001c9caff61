namespace Doorbell.Coap.Signaling;

/// <summary>What the next bytes of a connection are.</summary>
internal enum CoapStreamEvent
{
    /// <summary>The beginning of a message whose rest has not come yet.</summary>
    Incomplete,

    /// <summary>A message that concerns the connection, or nobody; what was to be answered is written.</summary>
    Handled,

    /// <summary>A request or a response.</summary>
    Message,

    /// <summary>The end: the peer has ended the connection, or we have said that we do. It is to be closed.</summary>
    Over,
}
