using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which a relay has an end that is no server of streams.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class EndJobs
{
    [Fact]
    public void Pass_a_TCP_port_on_to_UDP()
    {
        Job.Here().BothDo(
            "HELLO\n",
            static (shell, command) =>
            {
                shell.ServeCapitalize();
                int port = shell.Free(7000);
                _ = shell.Start(command);
                using Socket client = Shell.Connect(port);
                client.Send("hello\n"u8);
                client.Shutdown(SocketShutdown.Send);
                return Shell.ReadToEnd(client);
            });
    }

    /// <summary>socat's datagram has the end of the line too; ours is the line.</summary>
    [Fact]
    public void Pass_a_UDP_port_on_to_TCP()
    {
        Job.Here().BothDo(
            "HELLO",
            static (shell, command) =>
            {
                shell.ServeCapitalize();
                int port = shell.Free(7000, "udp");
                _ = shell.Start(command);
                Ports.WaitUntilServed("udp", port);
                using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
                client.Connect(IPAddress.Loopback, port);
                client.Send("hello\n"u8);
                byte[] buffer = new byte[100];
                return Encoding.ASCII.GetString(buffer, 0, client.Receive(buffer)).TrimEnd('\n');
            });
    }

    /// <summary>When the program has closed the terminal, ours ends, and socat stays.</summary>
    [Fact]
    public void Give_a_server_to_a_program_that_wants_a_terminal()
    {
        Job.Here().BothDo(
            ("HELLO\n", 0),
            static (shell, command) =>
            {
                shell.ServeCapitalize();
                _ = shell.Start(command, "");
                string link = $"{shell.Folder}/modem";
                Waiting.Until(() => File.Exists(link), "the terminal is there");
                (int exitCode, string answer) = shell.Run("exec 3<>modem && echo hello >&3 && head -n 1 <&3");
                return (answer, exitCode);
            });
    }

    [Fact]
    public void Put_a_serial_line_on_the_network()
    {
        Job.Here().BothDo(
            "hello\n",
            static (shell, command) =>
            {
                _ = shell.Start("exec socat PTY,link=line,raw,echo=0 EXEC:cat", "");
                Waiting.Until(() => File.Exists($"{shell.Folder}/line"), "the line is there");
                int port = shell.Free(7000);
                _ = shell.Start(command, "");
                using Socket client = Shell.Connect(port);
                client.Send("hello\n"u8);
                client.Shutdown(SocketShutdown.Send);
                return Shell.ReadToEnd(client);
            });
    }

    [Fact]
    public void Join_standard_input_and_output_to_a_server()
    {
        Job.Here().BothDo(
            ("HELLO\n", 0),
            static (shell, command) =>
            {
                shell.ServeCapitalize();
                (int exitCode, string output) = shell.Run(command);
                return (output, exitCode);
            });
    }

    [Fact]
    public void Give_standard_input_to_who_connects()
    {
        Job.Here().BothDo(
            ("hello\n", "hi\n", 0),
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                Program here = shell.Start(command);
                using Socket there = Shell.Connect(port);
                string heard = Shell.ReadToEnd(there);
                there.Send("hi\n"u8);
                there.Shutdown(SocketShutdown.Send);
                Ended ended = here.WaitForEnd();
                return (heard, ended.Output, ended.ExitCode);
            });
    }
}
