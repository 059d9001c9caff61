using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Doorbell.Tests.Compared;

/// <summary>Jobs of docs/compared.md that carry files and log messages.</summary>
public sealed class TransferJobs
{
    [Fact]
    public void Receive_the_bytes_of_a_file() => Job.Here().BothDo((0, "all of it\n"), static (shell, command) =>
    {
        int port = shell.Free(7000);
        Program receiver = shell.Start(command);
        using Socket sender = Shell.Connect(port);
        sender.Send("all of it\n"u8);
        sender.Shutdown(SocketShutdown.Send);
        int code = receiver.WaitForEnd().ExitCode;
        return (code, shell.Read("copy"));
    });

    [Fact]
    public void Log_to_a_syslog_server() => Job.Here().BothDo((0, "<11>1 job hello"), static (shell, command) =>
    {
        Socket server = shell.Bind(7000);
        int code = shell.Run(command).ExitCode;
        byte[] buffer = new byte[2000];
        string message = Encoding.ASCII.GetString(buffer, 0, server.Receive(buffer));
        return (code, Regex.Replace(message, @"^(<\d+>1) \S+ \S+ (\S+) - - (?:-|\[.*\]) (.*)$", "$1 $2 $3"));
    });

    [Fact]
    public void Log_to_this_machine() => Job.Here().BothDo((0, "<11>job hello"), static (shell, command) =>
    {
        string path = Path.Combine(shell.Folder, "log");
        using Socket server = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        server.Bind(new UnixDomainSocketEndPoint(path));
        int code = shell.Run(command).ExitCode;
        byte[] buffer = new byte[2000];
        string message = Encoding.ASCII.GetString(buffer, 0, server.Receive(buffer));
        return (code, Regex.Replace(message, @"^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d (\S+): (.*)$", "$1$2 $3"));
    });
}
