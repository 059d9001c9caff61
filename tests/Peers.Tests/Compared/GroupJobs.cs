using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md about datagrams that go to many.</summary>
public sealed class GroupJobs
{
    private const string Group = "239.255.70.1";

    [Fact]
    public void Ask_a_multicast_group_on_one_interface() => BothAreAnswered($"udp://{Group}%lo");

    [Fact]
    public void Ask_all_by_broadcast() => BothAreAnswered("udp://0.0.0.0");

    [Fact]
    public void Say_how_many_routers_a_datagram_may_pass()
    {
        Job.Here().BothDo(
            "7",
            static (shell, command) =>
            {
                int port = shell.Free(7000, "udp");
                Program member = shell.Start(
                    $"socat -u UDP-RECVFROM:{port},ip-recvttl,ip-add-membership={Group}:127.0.0.1 SYSTEM:'echo $SOCAT_IP_TTL'");
                Ports.WaitUntilServed("udp", port);
                _ = shell.Run(command);
                return member.WaitForEnd().Output.Trim();
            });
    }

    [Fact]
    public void Serve_a_multicast_group()
    {
        Job.Here().BothDo(
            "HELLO",
            static (shell, command) =>
            {
                int port = shell.Free(7000, "udp");
                _ = shell.Start(command);
                Ports.WaitUntilServed("udp", port);
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
                client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                client.SetSocketOption(
                    SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Loopback.GetAddressBytes());
                client.SendTo("hello"u8, new IPEndPoint(IPAddress.Parse(Group), port));
                byte[] buffer = new byte[100];
                return Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer));
            });
    }

    private static void BothAreAnswered(string server, [System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        Job.Here(test).BothDo(
            ("HELLO\n", 0),
            (shell, command) =>
            {
                (Program member, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", $"{server}:0");
                using Program ends = member;
                shell.Use(7000, endpoint.Port);
                (int exitCode, string output) = shell.Run(command);
                return (output, exitCode);
            });
    }
}
