using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Cli;

/// <summary>
/// Write, write, read: a question in two small writes. Nagle's algorithm holds the second back until the first is acknowledged, and
/// the peer delays that acknowledgement, since it has nothing to send yet (RFC 896, RFC 1122 section 4.2.3.2, tcp(7)).
/// </summary>
internal static class NagleDemo
{
    private const int Exchanges = 20;
    private const int HalfBytes = 4;
    private const int PatienceMilliseconds = 4000;

    public static void Run(TextWriter output)
    {
        output.WriteLine($"{Exchanges} questions of {2 * HalfBytes} bytes over one loopback connection, each answered when it is whole.");
        double nagle = Measure(output, "two writes, Nagle on", "TCP_NODELAY=0", writes: 2);
        double noDelay = Measure(output, "two writes, Nagle off", "TCP_NODELAY=1", writes: 2);
        double oneWrite = Measure(output, "one write, Nagle on", "TCP_NODELAY=0", writes: 1);
        output.WriteLine();
        output.WriteLine(
            $"With Nagle's algorithm the second write took {nagle / Math.Max(noDelay, 0.001):0} times as long here as without. It waits "
                + "until the first is acknowledged (RFC 896), and the peer, which has nothing to answer yet, delays its acknowledgement, "
                + "on Linux for 40 ms (RFC 1122 section 4.2.3.2).");
        output.WriteLine(
            "tcp(7): TCP_NODELAY \"means that segments are always sent as soon as possible, even if there is only a small amount of "
                + "data\".");
        output.WriteLine(
            $"A question in one write ({oneWrite:0.000} ms) has no second segment to hold back. Doorbell sends what a turn writes in one "
                + "call, and sets TCP_NODELAY too.");
    }

    private static double Measure(TextWriter output, string what, string option, int writes)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketOptionOutcome set = SocketOptionSetting.Parse(option).Apply(client, "the client");
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        client.ReceiveTimeout = server.ReceiveTimeout = PatienceMilliseconds;
        Thread answering = new(() => Answer(server));
        answering.Start();
        List<double> times = [];
        for (int i = 0; i < Exchanges; i++)
        {
            times.Add(Ask(client, writes));
        }

        client.Shutdown(SocketShutdown.Send);
        answering.Join();
        times.Sort();
        double median = times[times.Count / 2];
        output.WriteLine($"{what + ":",-23} {median,8:0.000} ms an exchange (median of {Exchanges}); {set}");
        return median;
    }

    private static double Ask(Socket client, int writes)
    {
        byte[] question = new byte[2 * HalfBytes];
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < writes; i++)
        {
            client.Send(question, i * HalfBytes, question.Length / writes, SocketFlags.None);
        }

        client.Receive(question.AsSpan(0, 1));
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static void Answer(Socket server)
    {
        byte[] buffer = new byte[2 * HalfBytes];
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
