using System.Net.Sockets;
using System.Text;
using Doorbell.Cli.Printing;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary>Tells the service manager how far the server is (sd_notify(3)), if it asked to be told.</summary>
internal static class ReadyNotice
{
    // Read at once, before a child could see it.
    private static readonly string? _socket = InitialEnvironment.ValueOf("NOTIFY_SOCKET");
    private const int PatienceMilliseconds = 1000;
    private static int _isStopping;

    /// <summary>Connections are served.</summary>
    public static void Ready() => Send($"READY=1\nMAINPID={Environment.ProcessId}");

    /// <summary>The server drains. It is told once, whoever says so first.</summary>
    public static void Stopping()
    {
        if (Interlocked.Exchange(ref _isStopping, 1) == 0)
        {
            Send("STOPPING=1");
        }
    }

    private static void Send(string state)
    {
        if (string.IsNullOrEmpty(_socket))
        {
            return;
        }

        try
        {
            // A manager that receives nothing must not hold up the way of a signal.
            using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            manager.SendTimeout = PatienceMilliseconds;
            string path = _socket[0] == '@' ? "\0" + _socket[1..] : _socket;
            manager.SendTo(Encoding.UTF8.GetBytes(state), new UnixEndPoint(path));
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            // Serving is worth more than telling of it.
            string why = PrintableText.Escape(failure.Message);
            Failure.Post($"send {PrintableText.Escape(_socket)}: the service manager was not told: {why}");
        }
    }
}
