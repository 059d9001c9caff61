using System.Globalization;
using Doorbell.Native;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes.Workers;

/// <summary>
/// What a process that serves for another was given: written by the parent into one environment variable, read by the child, the
/// same program, when it starts its server.
/// </summary>
/// <param name="Server">Which of the program's servers it is for: <see cref="NameOf"/>.</param>
/// <param name="Slot">Its slot in the shared ledger, and its number among the workers.</param>
/// <param name="Slots">The shared ledger's slots.</param>
/// <param name="Ledger">The shared ledger's descriptor.</param>
/// <param name="StopAccepting">Readable once the server accepts no more.</param>
/// <param name="Drain">Readable once the server drains.</param>
/// <param name="Abort">Readable once it aborts.</param>
/// <param name="Life">Hung up once the parent is gone.</param>
/// <param name="Sockets">The descriptors to serve, and the number of the door of each.</param>
/// <param name="IsConnection">They are one connection, not listeners and datagram sockets.</param>
internal sealed record WorkerProcess(
    string Server, int Slot, int Slots, int Ledger, int StopAccepting, int Drain, int Abort, int Life,
    IReadOnlyList<(int Descriptor, int Door)> Sockets, bool IsConnection)
{
    public const string Variable = InheritedEnvironment.WorkerVariable;

    private const char Separator = ' ';
    private const string Activation = "activation";

    /// <summary>This process's own; null if it is no worker. A child of ours that is no worker never sees it.</summary>
    public static WorkerProcess? Current { get; } = Read();

    /// <summary>The parent serves no endpoints but the sockets of socket activation, which the worker itself does not see.</summary>
    public bool ServesActivation => Server.EndsWith($",{Activation}", StringComparison.Ordinal);

    /// <summary>Names a server so that its worker finds it among those that the same program starts.</summary>
    public static string NameOf(ServerOptions options)
    {
        IEnumerable<string> doors = options.AllDoors.Select(static door => $"{door.Service.Name},{door.Endpoint}")
            .DefaultIfEmpty($"{options.Service?.Name},{Activation}");
        return string.Join(',', doors).Replace(' ', '_');
    }

    /// <summary>As the environment has it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Variable}={Slot} {Slots} {Ledger} {StopAccepting} {Drain} {Abort} {Life} {(IsConnection ? 1 : 0)} {SocketsText} {Server}");

    private string SocketsText => string.Join(
        ',', Sockets.Select(static socket => string.Create(CultureInfo.InvariantCulture, $"{socket.Descriptor}:{socket.Door}")));

    private static WorkerProcess? Read()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text || text.Split(Separator) is not [.. { Length: 10 } parts])
        {
            return null;
        }

        Environment.SetEnvironmentVariable(Variable, null);
        int[] numbers = [.. parts.Take(8).Select(static part => int.Parse(part, CultureInfo.InvariantCulture))];
        (int Descriptor, int Door)[] sockets = [.. parts[8].Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(static part => Array.ConvertAll(part.Split(':'), static number => int.Parse(number, CultureInfo.InvariantCulture)))
            .Select(static pair => (pair[0], pair[1]))];
        foreach (int descriptor in numbers[2..7].Concat(sockets.Select(static socket => socket.Descriptor)))
        {
            // What this process starts is to have none of it.
            _ = Libc.fcntl(descriptor, Libc.SetDescriptorFlags, 1);
        }

        return new WorkerProcess(
            parts[9], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], sockets, numbers[7] == 1);
    }
}
