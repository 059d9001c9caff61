namespace Doorbell.Lab.Demos.Loss;

/// <summary>A way to ask over a network that loses.</summary>
public enum LossWay
{
    /// <summary>A datagram, sent once.</summary>
    Once,

    /// <summary>A datagram, sent again until an answer comes: at least once.</summary>
    Again,

    /// <summary>CoAP, of a server that nothing is known of: at most once.</summary>
    FirstContact,

    /// <summary>CoAP, of a server whose round trips have been measured: at most once.</summary>
    Reliable,
}
