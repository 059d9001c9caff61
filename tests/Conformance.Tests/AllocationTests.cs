using System.Diagnostics;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// A request allocates nothing once lanes and sessions are warm: counted over the whole process, of which the lanes, the sessions and a
/// client that allocates nothing itself are all that runs.
/// </summary>
[Collection("measures this process")]
public sealed class AllocationTests
{
    private const int Requests = 100_000;
    private const int Connections = 4;

    /// <summary>The JIT allocates while it compiles a method anew, in whatever round that is: one round without it decides.</summary>
    private const int MaxRounds = 5;

    /// <summary>Lines that a connection has asked before it takes the answers.</summary>
    private const int InFlight = 10;

    /// <summary>What the runtime itself may do meanwhile (timers, tiering): less than a byte a request.</summary>
    private const long OfTheRuntime = 64 * 1024;

    /// <summary>A TCP server reads /proc/net/netstat once a second, for its backlog: a matter of time, not of requests.</summary>
    private const long OfTheWatchASecond = 48 * 1024;

    /// <summary>
    /// The portable engine's sockets and their continuations are the runtime's, whose queues and threads grow as they like: measured were
    /// 0 to 5.6 bytes a request. The smallest object has 24.
    /// </summary>
    private const long OfAnAsynchronousSocket = Requests * 12;

    public static TheoryData<string, string> All => new MatrixTheoryData<string, string>(
        ["loop/epoll", "loop/io_uring", "pool", "thread", "async"], ["tcp", "unix"]);

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_hundred_thousand_requests_allocate_nothing(string model, string transport)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, transport, model: model);
        Peer[] peers = [.. Enumerable.Range(0, Connections).Select(_ => server.Connect())];
        byte[] one = "a line of thirty-two bytes, stra\n"u8.ToArray();
        byte[] many = [.. Enumerable.Repeat(one, InFlight).SelectMany(static line => line)];
        byte[] expected = [.. many.Select(static letter => letter is >= (byte)'a' and <= (byte)'z' ? (byte)(letter - 32) : letter)];
        byte[] answers = new byte[many.Length];
        AskAll(peers, many, answers, Requests / 10);
        long allocated = long.MaxValue;
        long most = 0;
        for (int round = 0; round < MaxRounds && allocated > most; round++)
        {
            long began = Stopwatch.GetTimestamp();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long wrong = AskAll(peers, many, answers, Requests, expected);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            double looks = transport == "tcp" ? Math.Ceiling(Stopwatch.GetElapsedTime(began).TotalSeconds) : 0;
            most = OfTheRuntime + (long)(looks * OfTheWatchASecond) + (model == "async" ? OfAnAsynchronousSocket : 0);
            Assert.Equal(0, wrong);
        }

        Assert.True(allocated <= most, $"{allocated} bytes were allocated for {Requests} requests, at most {most} expected");
        TestContext.Current.TestOutputHelper?.WriteLine($"{model} {transport}: {allocated} bytes for {Requests} requests");
        Array.ForEach(peers, static peer => peer.Dispose());
    }

    /// <summary>What one member says is copied once for all; the copies are used again.</summary>
    [Theory]
    [InlineData("loop/epoll")]
    [InlineData("thread")]
    public async Task What_is_said_at_a_broker_allocates_nothing(string model)
    {
        const int Lines = 20_000;
        await using Running server = await Running.StartAsync(Broker.New(), "unix", model: model);
        Peer[] members = [.. Enumerable.Range(0, Connections).Select(_ => server.Connect())];
        Peer.Eventually(() => server.Counts.ConnectionsOpen == Connections, "all hear what is said");
        byte[] line = new byte[1000];
        byte[] heard = new byte[1000];
        long allocated = long.MaxValue;
        for (int round = 0; round < MaxRounds && allocated > OfTheRuntime; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int said = 0; said < Lines; said++)
            {
                members[0].Send(line);
                for (int i = 1; i < Connections; i++)
                {
                    for (int received = 0; received < heard.Length;)
                    {
                        received += members[i].Socket.Receive(heard.AsSpan(received));
                    }
                }
            }

            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        Assert.True(allocated <= OfTheRuntime, $"{allocated} bytes were allocated for {Lines} lines");
        Array.ForEach(members, static peer => peer.Dispose());
    }

    /// <summary>Half of them a line at a time, half ten in flight.</summary>
    /// <returns>How many answers were wrong.</returns>
    private static long AskAll(Peer[] peers, byte[] lines, byte[] answers, int requests, byte[]? expected = null)
    {
        long wrong = 0;
        int one = lines.Length / InFlight;
        for (int asked = 0; asked < requests; asked += peers.Length * InFlight * 2)
        {
            foreach (Peer peer in peers)
            {
                for (int i = 0; i < InFlight; i++)
                {
                    wrong += Ask(peer.Socket, lines.AsSpan(0, one), answers.AsSpan(0, one), expected);
                }
            }

            foreach (Peer peer in peers)
            {
                wrong += Ask(peer.Socket, lines, answers, expected);
            }
        }

        return wrong;
    }

    private static int Ask(Socket socket, ReadOnlySpan<byte> question, Span<byte> answer, byte[]? expected)
    {
        for (int sent = 0; sent < question.Length;)
        {
            sent += socket.Send(question[sent..]);
        }

        for (int received = 0, more; received < answer.Length; received += more)
        {
            more = socket.Receive(answer[received..]);
            if (more == 0)
            {
                throw new InvalidOperationException("the connection ended");
            }
        }

        return expected is null || answer.SequenceEqual(expected.AsSpan(0, answer.Length)) ? 0 : 1;
    }
}
