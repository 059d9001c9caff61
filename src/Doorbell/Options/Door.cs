namespace Doorbell;

/// <summary>Who can reach a listening socket.</summary>
public enum Reach
{
    /// <summary>Programs on this machine.</summary>
    ThisMachine,

    /// <summary>Whoever can reach the one address it is bound to.</summary>
    OneAddress,

    /// <summary>Whoever can reach any address of this machine.</summary>
    EveryInterface,
}

/// <summary>A listener or datagram socket that is being served.</summary>
/// <param name="Endpoint">Its actual address and port.</param>
/// <param name="Reach">Who can reach it.</param>
public sealed record Door(Endpoint Endpoint, Reach Reach)
{
    /// <summary>What is served there.</summary>
    public Service Service { get; internal init; } = null!;

    /// <summary>What makes the layers of each connection; see <see cref="DoorOptions.Layers"/>.</summary>
    internal IReadOnlyList<Func<ConnectionInfo, Doorbell.Sessions.StreamLayer>> Layers { get; init; } = [];

    /// <summary>Who may come in; see <see cref="DoorOptions.Access"/>.</summary>
    internal AccessList Access { get; init; } = AccessList.Everyone;

    /// <summary>Its own bounds; see <see cref="DoorOptions.Limits"/>. Those of the service are in <see cref="Service"/> already.</summary>
    internal DoorLimits Limits { get; init; } = DoorLimits.None;

    /// <summary>Its number among the server's doors as they were asked for: a worker process finds its service by it.</summary>
    internal int Number { get; init; }

    /// <summary>The door with all that the options say of it.</summary>
    internal Door With(DoorOptions options, int number) => this with
    {
        Service = options.Service, Layers = options.Layers, Access = options.Access, Limits = options.Limits, Number = number,
    };
}
