using System.Net.Sockets;

namespace Doorbell.Cli.Ends;

/// <summary>A server of TCP or a unix stream socket.</summary>
internal sealed class SocketTarget(Endpoint endpoint) : EndTarget(endpoint.ToString())
{
    public Endpoint Endpoint => endpoint;

    public override async Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation) =>
        new SocketEnd(
            Name, await Connector.ConnectAsync(endpoint, opening.Timeout, ClientOptions.Default, opening.Via, cancellation));

    private sealed class SocketEnd(string name, Socket socket) : OpenEnd(name, new NetworkStream(socket, ownsSocket: true))
    {
        public override ValueTask<bool> EndSendingAsync()
        {
            socket.Shutdown(SocketShutdown.Send);
            return ValueTask.FromResult(true);
        }

        public override void Abort() => socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }
}
