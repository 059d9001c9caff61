namespace Doorbell.Coap.Server;

/// <summary>One moment on both clocks.</summary>
internal readonly record struct CoapMoment(TimeSpan Now, DateTimeOffset UtcNow);
