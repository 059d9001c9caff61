namespace Doorbell.Sessions;

/// <summary>The answer of <see cref="StreamLayer.Unwrap"/>.</summary>
/// <param name="Consumed">Bytes taken from the front of what came.</param>
/// <param name="Produced">Bytes written to the plain side.</param>
/// <param name="State">How far the layer is now.</param>
public readonly record struct Unwrapped(int Consumed, int Produced, LayerState State);
