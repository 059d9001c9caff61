using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Lab.Models;

/// <summary>
/// The clients: each on a thread of its own, with blocking sockets, and asking the next line when the answer to the last has come and
/// been checked (a closed loop).
/// </summary>
/// <param name="server">Where the server is.</param>
/// <param name="name">How errors call it.</param>
/// <param name="cpu">How much processor time the server has used.</param>
public sealed class Load(IPEndPoint server, string name, Func<TimeSpan> cpu)
{
    /// <summary>How many clients there are.</summary>
    public const int Clients = 16;

    private const int BindAddressNoPort = 24; // IP_BIND_ADDRESS_NO_PORT, ip(7)

    private static readonly TimeSpan _maxForAnAnswer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _quiet = TimeSpan.FromMilliseconds(300);

    /// <summary>A new connection for each request: connect, ask, close.</summary>
    /// <param name="length">For so long.</param>
    /// <exception cref="NetworkException">The server answers wrongly or not at all.</exception>
    public Slice ConnectEachTime(TimeSpan length) => Measure(length, Clients, (client, question) =>
    {
        using Socket socket = Connect(client);
        Ask(socket, question);
    });

    /// <summary>Each client asks on one connection that it keeps.</summary>
    /// <param name="length">For so long.</param>
    /// <param name="clients">So many; those that get no turn, since the server is busy with the others, do not count.</param>
    /// <exception cref="NetworkException">The server answers wrongly or not at all.</exception>
    public Slice PingPong(TimeSpan length, int clients)
    {
        List<Socket> all = [];
        try
        {
            all.AddRange(Enumerable.Range(0, clients).Select(Connect));
            List<Socket> held = Held(all);
            if (held.Count == 0)
            {
                throw NetworkException.From("receive", name, new TimeoutException());
            }

            all.Except(held).ToList().ForEach(static socket => socket.Dispose());
            return Measure(length, held.Count, (client, question) => Ask(held[client], question));
        }
        finally
        {
            all.ForEach(static socket => socket.Dispose());
        }
    }

    private List<Socket> Held(List<Socket> all)
    {
        Question question = new(Clients);
        all.ForEach(socket => socket.Send(question.Line.Span));
        List<Socket> held = [];
        List<Socket> waiting = [.. all];
        while (waiting.Count > 0)
        {
            List<Socket> ready = [.. waiting];
            Socket.Select(ready, null, null, held.Count == 0 ? _maxForAnAnswer : _quiet);
            if (ready.Count == 0)
            {
                break;
            }

            foreach (Socket socket in ready)
            {
                Receive(socket, question);
                held.Add(socket);
                waiting.Remove(socket);
            }
        }

        return held;
    }

    private Slice Measure(TimeSpan length, int clients, Action<int, Question> request)
    {
        List<double>[] latencies = [.. Enumerable.Range(0, clients).Select(static _ => new List<double>())];
        Exception? failure = null;
        TimeSpan cpuBefore = cpu();
        long began = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, clients).Select(client => new Thread(() =>
        {
            try
            {
                AskUntil(began, length, latencies[client], client, request, () => failure is not null);
            }
            catch (Exception first)
            {
                Interlocked.CompareExchange(ref failure, first, null);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
        TimeSpan used = cpu() - cpuBefore;
        if (failure is not null)
        {
            throw failure as NetworkException ?? NetworkException.From("ask", name, failure);
        }

        double[] sorted = [.. latencies.SelectMany(static some => some)];
        Array.Sort(sorted);
        return new Slice(clients, elapsed, used, sorted);
    }

    /// <summary>At least one request, so that a slice is never empty.</summary>
    private static void AskUntil(
        long began, TimeSpan length, List<double> latencies, int client, Action<int, Question> request, Func<bool> failed)
    {
        Question question = new(client);
        do
        {
            long asked = Stopwatch.GetTimestamp();
            request(client, question);
            latencies.Add(Stopwatch.GetElapsedTime(asked).TotalMicroseconds);
            question.Next();
        }
        while (Stopwatch.GetElapsedTime(began) < length && !failed());
    }

    private Socket Connect(int client)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)_maxForAnAnswer.TotalMilliseconds,
            SendTimeout = (int)_maxForAnAnswer.TotalMilliseconds,
        };
        try
        {
            // A closed connection's pair of ports rests for a minute (TIME_WAIT). With an address for each client, and the port
            // chosen only when it connects, there are enough for many thousand connections a second.
            socket.SetRawSocketOption(0, BindAddressNoPort, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(client + 1)]), 0));
            socket.Connect(server);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw NetworkException.From("connect", name, failure);
        }
    }

    private void Ask(Socket socket, Question question)
    {
        socket.Send(question.Line.Span);
        Receive(socket, question);
    }

    private void Receive(Socket socket, Question question)
    {
        Span<byte> answer = stackalloc byte[Question.Bytes + 1];
        int count = 0;
        while (count < Question.Bytes && socket.Receive(answer[count..]) is > 0 and int more)
        {
            count += more;
        }

        question.Check(answer[..count], name);
    }
}
