using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>A program that takes the place of this command, with the socket as its standard input and output.</summary>
internal static class JoinedProgram
{
    /// <summary>Becomes the program.</summary>
    /// <param name="program">What to execute.</param>
    /// <param name="socket">Connected.</param>
    /// <param name="endpoint">Where to, or where it came in.</param>
    /// <exception cref="ArgumentException">The socket is not connected, since it is for the datagrams of many.</exception>
    /// <exception cref="NetworkException">The program can't be executed.</exception>
    [DoesNotReturn]
    public static void Become(ServiceProgram program, Socket socket, Endpoint endpoint)
    {
        if (!socket.Connected)
        {
            throw new ArgumentException($"{endpoint} is many peers, and a program gets the datagrams of one: leave out --exec and --shell");
        }

        // What is still to be said is said before this process is another program.
        _ = LineWriter.Error.Finish();
        ProgramExecution.Become(program, socket, endpoint);
    }
}
