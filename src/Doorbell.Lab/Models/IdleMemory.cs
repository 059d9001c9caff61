using System.Diagnostics;
using System.Net.Sockets;

namespace Doorbell.Lab.Models;

/// <summary>What connections cost a server that have asked once and are silent now.</summary>
/// <param name="Opened">How many clients tried.</param>
/// <param name="Connected">How many connections the kernel completed.</param>
/// <param name="Held">How many of them the server answered, so holds; the others wait in the backlog.</param>
/// <param name="Growth">By how many bytes the server's memory grew.</param>
/// <param name="Processes">How many processes the server is meanwhile.</param>
public sealed record IdleMemory(int Opened, int Connected, int Held, long Growth, int Processes)
{
    /// <summary>How many are opened.</summary>
    public const int Connections = 1000;

    /// <summary>How many at a server that starts a process for each.</summary>
    public const int ConnectionsOfProcesses = 50;

    // With fewer the growth is mostly something else's: a heap's, a thread pool's.
    private const int FewestToTell = 50;

    // So many ask at once: more could overrun the backlog of a server that is merely busy. One that has let some wait is not.
    private const int Batch = 100;

    private static readonly TimeSpan _quiet = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _maxForTheFirst = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _most = TimeSpan.FromSeconds(10);

    /// <summary>How many wait in the backlog.</summary>
    public int Waiting => Connected - Held;

    /// <summary>In bytes; null if the server held too few to tell.</summary>
    public double? PerConnection => Held < FewestToTell ? null : (double)Growth / Held;

    /// <summary>Opens connections, asks on each, and waits until all are answered or nothing has come for a while.</summary>
    internal static async Task<IdleMemory> MeasureAsync(ServerUnderTest server, int connections, CancellationToken cancellation)
    {
        long before = server.Memory();
        long progress = Stopwatch.GetTimestamp();
        int connected = 0;
        int held = 0;
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(_most);
        Socket[] sockets = [.. Enumerable.Range(0, connections).Select(static _ =>
            new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })];
        try
        {
            async Task Ask(Socket socket, int client)
            {
                await socket.ConnectAsync(server.Address, enough.Token);
                Interlocked.Increment(ref connected);
                await AskAsync(socket, new Question(client), server.Name, enough.Token);
                Interlocked.Increment(ref held);
                Volatile.Write(ref progress, Stopwatch.GetTimestamp());
            }

            List<Task> asking = [];
            bool stuck = false;
            while (asking.Count < connections)
            {
                int first = asking.Count;
                int count = stuck ? connections - first : Math.Min(Batch, connections - first);
                asking.AddRange(Enumerable.Range(first, count).Select(client => Ask(sockets[client], client)));
                progress = Stopwatch.GetTimestamp();
                Task all = Task.WhenAll(asking);
                while (!all.IsCompleted && Stopwatch.GetElapsedTime(Volatile.Read(ref progress)) < (held == 0 ? _maxForTheFirst : _quiet))
                {
                    await Task.WhenAny(all, Task.Delay(_quiet / 20, cancellation));
                }

                stuck = !all.IsCompleted;
            }

            IdleMemory measured = new(connections, connected, held, server.Memory() - before, server.Processes());
            await enough.CancelAsync();
            await EndAsync(Task.WhenAll(asking), server, cancellation);
            return measured;
        }
        finally
        {
            Array.ForEach(sockets, static socket => socket.Dispose());
        }
    }

    /// <summary>Asks a line and checks the answer.</summary>
    internal static async Task AskAsync(Socket socket, Question question, string server, CancellationToken cancellation)
    {
        await socket.SendAsync(question.Line, cancellation);
        byte[] answer = new byte[Question.Bytes + 1];
        int count = 0;
        while (count < Question.Bytes && await socket.ReceiveAsync(answer.AsMemory(count), cancellation) is > 0 and int more)
        {
            count += more;
        }

        question.Check(answer.AsSpan(0, count), server);
    }

    private static async Task EndAsync(Task all, ServerUnderTest server, CancellationToken cancellation)
    {
        try
        {
            await all;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Those that wait in the backlog.
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("ask", server.Name, failure);
        }
    }
}
