using System.Globalization;
using Doorbell.Bench.Sockets;

// Sockets tcp|udp-client|udp-event-args PORT
int port = int.Parse(args[1], CultureInfo.InvariantCulture);
await (args[0] switch
{
    "tcp" => AsyncSockets.ServeAsync(port),
    "udp-client" => UdpClients.ServeAsync(port),
    "udp-event-args" => UdpEventArgs.ServeAsync(port),
    _ => throw new ArgumentException(args[0]),
});
