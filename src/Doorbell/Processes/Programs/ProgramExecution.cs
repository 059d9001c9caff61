using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Processes.Programs;
using Doorbell.Processes.Spawning;

namespace Doorbell;

/// <summary>
/// Gives a socket to a program that takes the place of this process (execve(2)), with the socket as its standard input and output. The
/// program has this process's number, its standard error and its terminal, and whoever waits for this process gets the program's exit code.
/// Linux.
/// </summary>
public static class ProgramExecution
{
    /// <summary>Says that a program can't be executed, before anybody is connected to.</summary>
    /// <param name="program">Whose name is looked for as execvp(3) does.</param>
    /// <exception cref="NetworkException">There is none of that name that can be executed.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    public static void RequireExecutable(ServiceProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("to give a program a connection needs Linux");
        }

        _ = ProgramFile.Find(program.FileName);
    }

    /// <summary>Becomes the program.</summary>
    /// <param name="program">What to execute. Its environment names both ends of the socket, as UCSPI and as ncat have it.</param>
    /// <param name="socket">Connected; the program reads from it and writes to it in calls that wait.</param>
    /// <param name="endpoint">Where it is connected to, or where it came in.</param>
    /// <exception cref="NetworkException">
    /// The program can't be executed. Standard input and output are the socket's then already.
    /// </exception>
    [DoesNotReturn]
    public static void Become(ServiceProgram program, Socket socket, Endpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(endpoint);
        RequireExecutable(program);
        string file = ProgramFile.Find(program.FileName);
        string[] ofConnection = new ProgramEnvironment(endpoint, socket.LocalEndPoint as IPEndPoint)
            .For(SocketAddresses.Of(socket.RemoteEndPoint));
        List<byte[]> environment = [.. InheritedEnvironment.Read(), .. ofConnection.Select(SystemText.ToBytes)];
        int errno = ProcessImage.Replace(
            file, [program.FileName, .. program.Arguments], environment, (int)socket.SafeHandle.DangerousGetHandle());
        GC.KeepAlive(socket);
        throw NetworkException.FromErrno("execute", PrintableText.Escape(program.FileName), errno);
    }
}
