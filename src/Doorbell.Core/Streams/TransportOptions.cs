namespace Doorbell;

/// <summary>
/// What only one kind of transport knows of, such as the options of a socket. A handler passes them on in
/// <see cref="ConnectOptions.Transport"/>; the lane that connects carries them out. The simulated network, which has no sockets, passes
/// them over.
/// </summary>
public abstract record TransportOptions
{
    /// <summary>Refuses what makes no sense for an endpoint.</summary>
    /// <param name="endpoint">Where the connection goes to.</param>
    /// <exception cref="ArgumentException">Something has no effect there.</exception>
    public abstract void Validate(Endpoint endpoint);
}
