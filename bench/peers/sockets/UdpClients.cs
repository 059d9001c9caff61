using System.Net;
using System.Net.Sockets;
using Doorbell.Bench.Peers;

namespace Doorbell.Bench.Sockets;

/// <summary>UDP as most .NET programs do it: <see cref="UdpClient"/>, awaited.</summary>
internal static class UdpClients
{
    public static async Task ServeAsync(int port)
    {
        using UdpClient server = new(new IPEndPoint(IPAddress.Loopback, port));
        Console.WriteLine($"listening {((IPEndPoint)server.Client.LocalEndPoint!).Port}");
        while (true)
        {
            UdpReceiveResult question = await server.ReceiveAsync();
            Capitals.Make(question.Buffer);
            await server.SendAsync(question.Buffer, question.RemoteEndPoint);
        }
    }
}
