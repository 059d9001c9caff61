using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Lab.Demos;

/// <summary>
/// Write, write, read: a question in two small writes. Nagle's algorithm holds the second back until the first is acknowledged, and
/// the peer delays that acknowledgement, since it has nothing to send yet (RFC 896, RFC 1122 section 4.2.3.2, tcp(7)).
/// </summary>
public static class NagleDemo
{
    /// <summary>How many questions are asked over one loopback connection.</summary>
    public const int Exchanges = 20;

    /// <summary>Bytes of a question.</summary>
    public const int QuestionBytes = 2 * HalfBytes;

    private const int HalfBytes = 4;
    private const int PatienceMilliseconds = 4000;

    /// <summary>Asks all questions over a new connection, each when the last has been answered.</summary>
    /// <param name="nagle">Whether Nagle's algorithm is on.</param>
    /// <param name="writes">In how many writes a question is sent: 1 or 2.</param>
    /// <exception cref="SocketException">The system refuses.</exception>
    public static NagleResult Measure(bool nagle, int writes)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketOptionOutcome set = SocketOptionSetting.Parse(nagle ? "TCP_NODELAY=0" : "TCP_NODELAY=1").Apply(client, "the client");
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        client.ReceiveTimeout = server.ReceiveTimeout = PatienceMilliseconds;
        Thread answering = new(() => Answer(server));
        answering.Start();
        List<TimeSpan> times = [];
        for (int i = 0; i < Exchanges; i++)
        {
            times.Add(Ask(client, writes));
        }

        client.Shutdown(SocketShutdown.Send);
        answering.Join();
        times.Sort();
        return new NagleResult(times[times.Count / 2], set);
    }

    private static TimeSpan Ask(Socket client, int writes)
    {
        byte[] question = new byte[QuestionBytes];
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < writes; i++)
        {
            client.Send(question, i * HalfBytes, question.Length / writes, SocketFlags.None);
        }

        client.Receive(question.AsSpan(0, 1));
        return Stopwatch.GetElapsedTime(began);
    }

    private static void Answer(Socket server)
    {
        byte[] buffer = new byte[QuestionBytes];
        int have = 0;
        try
        {
            int count;
            while ((count = server.Receive(buffer.AsSpan(have))) > 0)
            {
                have += count;
                if (have == buffer.Length)
                {
                    server.Send(buffer.AsSpan(0, 1));
                    have = 0;
                }
            }
        }
        catch (SocketException)
        {
            // The client tells what happened: its answer did not come.
        }
    }
}

/// <summary>What a <see cref="NagleDemo"/> measured.</summary>
/// <param name="Median">The time from the first write to the answer.</param>
/// <param name="Option">What the kernel made of TCP_NODELAY.</param>
public sealed record NagleResult(TimeSpan Median, SocketOptionOutcome Option);
