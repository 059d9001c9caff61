using System.Globalization;

namespace Doorbell;

/// <summary>
/// What a process that serves for another was given: written by the parent into one environment variable, read by the child, the
/// same program, when it starts its server.
/// </summary>
/// <param name="Server">Which of the program's servers it is for: <see cref="NameOf"/>.</param>
/// <param name="Place">Its place in the shared ledger, and its number among the workers.</param>
/// <param name="Places">The shared ledger's places.</param>
/// <param name="Ledger">The shared ledger's descriptor.</param>
/// <param name="Drain">Readable once the server drains.</param>
/// <param name="Abort">Readable once it aborts.</param>
/// <param name="Life">Hung up once the parent is gone.</param>
/// <param name="Sockets">The descriptors to serve.</param>
/// <param name="IsConnection">They are one connection, not listeners and datagram sockets.</param>
internal sealed record WorkerProcess(
    string Server, int Place, int Places, int Ledger, int Drain, int Abort, int Life, IReadOnlyList<int> Sockets, bool IsConnection)
{
    public const string Variable = "DOORBELL_WORKER";

    private const char Separator = ' ';

    /// <summary>This process's own; null if it is no worker. A child of ours that is no worker never sees it.</summary>
    public static WorkerProcess? Current { get; } = Read();

    /// <summary>Names a server so that its worker finds it among those that the same program starts.</summary>
    public static string NameOf(ServerOptions options) =>
        string.Join(',', [options.Service.Name, .. options.Endpoints.Select(static endpoint => endpoint.ToString())]).Replace(' ', '_');

    /// <summary>The server was named no endpoint: it serves what socket activation passed to the parent.</summary>
    public bool IsForPassedSockets => !Server.Contains(',');

    /// <summary>As the environment has it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Variable}={Place} {Places} {Ledger} {Drain} {Abort} {Life} {(IsConnection ? 1 : 0)} {string.Join(',', Sockets)} {Server}");

    /// <summary>Who is at the other end of the connection.</summary>
    public static unsafe PeerAddress PeerOf(int connection)
    {
        const int LongestAddress = 128;
        byte* address = stackalloc byte[LongestAddress];
        int length = LongestAddress;
        return Libc.getpeername(connection, address, &length) == 0
            ? SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, length))
            : default;
    }

    private static WorkerProcess? Read()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text || text.Split(Separator) is not [.. { Length: 9 } parts])
        {
            return null;
        }

        Environment.SetEnvironmentVariable(Variable, null);
        int[] numbers = [.. parts.Take(7).Select(static part => int.Parse(part, CultureInfo.InvariantCulture))];
        int[] sockets = [.. parts[7].Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(static part => int.Parse(part, CultureInfo.InvariantCulture))];
        foreach (int descriptor in numbers[2..6].Concat(sockets))
        {
            // What this process starts is to have none of it.
            _ = Libc.fcntl(descriptor, Libc.SetDescriptorFlags, 1);
        }

        return new WorkerProcess(
            parts[8], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], sockets, numbers[6] == 1);
    }
}
