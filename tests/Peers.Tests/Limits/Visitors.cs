using System.Diagnostics;
using System.Globalization;

namespace Doorbell.Tests;

/// <summary>Clients of a server that sends back what comes. They count what they do and what they get.</summary>
/// <param name="server">The server.</param>
/// <param name="isProgram">Whether a program serves, which says first which process it is.</param>
/// <param name="seed">Of all that is random.</param>
internal sealed class Visitors(CountingServer server, bool isProgram, int seed)
{
    private const int VisitsOfEach = 5;

    private readonly Lock _lock = new();

    public long Connections { get; private set; }

    public long Sent { get; private set; }

    public long Received { get; private set; }

    /// <summary>Connections that were reset by their client.</summary>
    public long Resets { get; private set; }

    /// <summary>Processes killed by a client.</summary>
    public long Killed { get; private set; }

    /// <summary>Bytes that were on their way when a process was killed: nobody knows whether it had taken or sent them.</summary>
    public long InDoubt { get; private set; }

    /// <summary>Some visits of one client, each with some questions.</summary>
    public void Come(int client)
    {
        Random random = new(seed + client);
        for (int visit = 0; visit < VisitsOfEach; visit++)
        {
            using Caller caller = Open(out int said, out _);
            int sent = 0;
            for (int asks = random.Next(4); asks > 0; asks--)
            {
                sent += Ask(caller, new string('x', random.Next(3000)));
            }

            bool resets = random.Next(3) == 0;
            if (resets)
            {
                caller.Reset();
            }
            else
            {
                caller.HalfClose();
                Assert.Equal("", caller.ReceiveToEnd());
            }

            Count(sent, sent + said, resets ? 1 : 0);
        }
    }

    /// <summary>A visit whose process is killed with SIGKILL while it has a question.</summary>
    public void ComeAndKill(string model)
    {
        Random random = new(seed - (int)Killed - 1);
        using Caller caller = Open(out int said, out int process);
        int sent = Ask(caller, new string('x', random.Next(3000)));
        int[] workers = isProgram ? [process] : WorkersOf(model);
        string question = new string('y', random.Next(3000)) + "\n";
        caller.Send(question);
        using (Process killed = Process.GetProcessById(workers[random.Next(workers.Length)]))
        {
            killed.Kill();
            if (model == "prefork")
            {
                // It may be another's: then the question is answered. A worker that waits has nothing of ours.
                caller.TryHalfClose();
            }

            int answer = caller.ReceiveToEnd().Length;
            Count(sent + question.Length, sent + said + answer, resets: 0);
        }

        Killed++;
        InDoubt += question.Length + sent;
    }

    public override string ToString() => $"{Connections} connections, {Sent} bytes sent, {Received} received, {Resets} resets, "
        + $"{Killed} killed, {InDoubt} bytes in doubt";

    private static int Ask(Caller caller, string text)
    {
        Assert.Equal(text + "\n", caller.Ask(text));
        return text.Length + 1;
    }

    private Caller Open(out int said, out int process)
    {
        Caller caller = server.Call();
        string line = isProgram ? caller.ReceiveLine() : "";
        said = line.Length;
        process = isProgram ? int.Parse(line, CultureInfo.InvariantCulture) : 0;
        return caller;
    }

    /// <summary>The server's children. Under the model process each has one connection, and others may still be ending.</summary>
    private int[] WorkersOf(string model)
    {
        int[] workers = [];
        Waiting.Until(
            () => (workers = ChildProcesses.Of(server.Id)).Length > 0 && (model == "prefork" || workers.Length == 1), "one process serves");
        return workers;
    }

    private void Count(int sent, int received, int resets)
    {
        lock (_lock)
        {
            Connections++;
            Sent += sent;
            Received += received;
            Resets += resets;
        }
    }
}
