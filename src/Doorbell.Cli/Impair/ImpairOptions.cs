using Doorbell.Sockets;

namespace Doorbell.Cli.Impair;

/// <summary>What a proxy carries, and how.</summary>
/// <param name="Doors">Where clients come to; closed with the proxy.</param>
/// <param name="Upstream">Whom they mean.</param>
/// <param name="Up">How bad the way to it is.</param>
/// <param name="Down">How bad the way back is.</param>
/// <param name="Seed">Of the chances.</param>
/// <param name="Say">Told in a line what the user should know.</param>
internal sealed record ImpairOptions(
    IReadOnlyList<DoorSocket> Doors, Endpoint Upstream, LiveFaults Up, LiveFaults Down, long Seed, Action<string> Say)
{
    /// <summary>What binds a server's sockets binds these; the service is asked for no more than that it speaks the transport.</summary>
    /// <exception cref="NetworkException">The system refuses.</exception>
    public static Task<List<DoorSocket>> BindAsync(Endpoint listen, CancellationToken cancellation)
    {
        DoorOptions door = new() { Endpoint = listen, Service = ClassicServices.Echo };
        return new Binding([door], null, ListenOptions.Default, ServerModel.Async, []).BindAllAsync(cancellation);
    }
}
