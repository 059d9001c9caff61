using System.Net.Sockets;
using Doorbell.Sessions;

namespace Doorbell.Cli.Verbs;

/// <summary>How a verb connects a socket of plain bytes: the connection itself, or one that has its layers behind it.</summary>
/// <param name="Sockets">How the sockets are made.</param>
/// <param name="Via">Through which proxies.</param>
/// <param name="Layers">Which layers the connection has.</param>
internal sealed record Connecting(
    ClientOptions Sockets, IReadOnlyList<TunnelProxy> Via, IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers)
{
    /// <param name="endpoint">Where to.</param>
    /// <param name="timeout">Bounds connecting, and then the opening of the layers.</param>
    /// <exception cref="NetworkException">It can't be connected, or a layer does not open.</exception>
    public async Task<Socket> ConnectAsync(Endpoint endpoint, TimeSpan timeout)
    {
        if (Layers.Count == 0)
        {
            return await Connector.ConnectAsync(endpoint, timeout, Sockets, Via, CancellationToken.None);
        }

        ConnectOptions options = new() { Timeout = timeout, Transport = Sockets, Via = Via, Layers = Layers };
        return await Client.OpenSocketAsync(endpoint, options, CancellationToken.None);
    }
}
