using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A task for each message: order, bounds, back-pressure, and the end.</summary>
public sealed class AsyncMessageTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Messages_are_answered_one_after_the_other_by_async_code(string model)
    {
        Service upper = Service.Framed("upper", Framing.Line, static async (message, answer, connection, closed) =>
        {
            await Task.Delay(1, closed);
            UpperCase.Ascii(message.Span, answer);
        });
        await using Running server = await Running.StartAsync(upper, model: model);
        using Peer peer = server.Connect();
        Assert.Equal("HELLO\n", peer.Ask("hello\n"));
        peer.Send("one\r\ntwo\0\nfour");
        peer.HalfClose();
        Assert.Equal("ONE\r\nTWO\0\nFOUR", peer.ReceiveToEnd());
        Peer.Eventually(() => server.Counts is { Requests: 5, ConnectionsOpen: 0 }, "all are counted");
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Concurrent_answers_leave_in_the_order_of_their_questions_and_no_more_are_in_work_than_may_be(string model)
    {
        int inWork = 0;
        int most = 0;
        ConcurrentBag<int> counts = [];
        Service echo = Service.Framed(
            "echo",
            Framing.LengthPrefix(4),
            async (message, answer, _, closed) =>
            {
                counts.Add(Interlocked.Increment(ref inWork));
                await Task.Delay(Random.Shared.Next(4), closed);
                answer.Write(message.Span);
                Interlocked.Decrement(ref inWork);
            },
            maxConcurrent: 4);
        await using Running server = await Running.StartAsync(echo, model: model);
        using Peer peer = server.Connect();
        byte[] questions = Frames(Enumerable.Range(0, 200));
        peer.Send(questions);
        peer.HalfClose();
        Assert.Equal(Encoding.UTF8.GetString(questions), peer.ReceiveToEnd());
        most = counts.Max();
        Assert.InRange(most, 2, 4);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task In_any_order_an_answer_waits_for_no_other(string model)
    {
        TaskCompletionSource first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service echo = Service.Framed(
            "echo",
            Framing.LengthPrefix(4),
            async (message, answer, _, _) =>
            {
                if (BinaryPrimitives.ReadInt32BigEndian(message.Span) == 0)
                {
                    await first.Task;
                }

                answer.Write(message.Span);
            },
            maxConcurrent: 2,
            answersInAnyOrder: true);
        await using Running server = await Running.StartAsync(echo, model: model);
        using Peer peer = server.Connect();
        peer.Send(Frames([0, 1, 2]));
        Assert.Equal(Encoding.UTF8.GetString(Frames([1, 2])), peer.Receive(16));
        first.SetResult();
        Assert.Equal(Encoding.UTF8.GetString(Frames([0])), peer.Receive(8));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_drain_delivers_the_answers_in_work_and_the_servers_end_waits_for_the_code(string model)
    {
        TaskCompletionSource working = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int saved = 0;
        Service slow = Service.Framed(
            "slow",
            Framing.Line,
            async (message, answer, _, _) =>
            {
                working.TrySetResult();
                await goOn.Task;
                answer.Write(message.Span);
                Interlocked.Increment(ref saved);
            },
            maxConcurrent: 8);
        await using Running server = await Running.StartAsync(slow, model: model);
        using Peer peer = server.Connect();
        peer.Send("a\nb\n");
        await working.Task;
        Peer.Eventually(() => server.Counts.BytesReceived == 4, "both have come");
        Task drained = server.Server.DrainAsync(_long);
        goOn.SetResult();
        Assert.Equal("a\nb\n", peer.ReceiveToEnd());
        peer.Dispose();
        await drained.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal((2, 1L), (saved, server.Counts.Closed(CloseReason.Completed)));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_fault_resets_the_connection_and_is_counted(string model)
    {
        Service brittle = Service.Framed("brittle", Framing.Line, static async (message, answer, connection, closed) =>
        {
            await Task.Yield();
            throw new FormatException("bad");
        });
        await using Running server = await Running.StartAsync(brittle, model: model);
        using Peer peer = server.Connect();
        peer.Send("x\n");
        Assert.Throws<System.Net.Sockets.SocketException>(() => peer.ReceiveToEnd());
        Peer.Eventually(() => server.Counts.Closed(CloseReason.HandlerFault) == 1, "the fault is counted");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_message_past_the_limit_and_a_broken_one_end_the_connection(string model)
    {
        Service echo = Service.Framed("echo", Framing.LengthPrefix(4), static (message, answer, _, _) =>
        {
            answer.Write(message.Span);
            return ValueTask.CompletedTask;
        }) with
        {
            StreamLimits = StreamLimits.Default with { MaxMessageBytes = 1000 },
        };
        await using Running server = await Running.StartAsync(echo, model: model);
        using (Peer large = server.Connect())
        {
            large.Send([0, 0, 8, 0, .. new byte[2000]]);
            Assert.Throws<System.Net.Sockets.SocketException>(() => large.ReceiveToEnd());
        }

        using Peer broken = server.Connect();
        broken.Send([0, 0, 0, 8, 1]);
        broken.HalfClose();
        Assert.Throws<System.Net.Sockets.SocketException>(() => broken.ReceiveToEnd());
        Peer.Eventually(() => server.Counts.Closed(CloseReason.MessageTooLarge) == 1, "the large one is counted");
        Peer.Eventually(() => server.Counts.Closed(CloseReason.HandlerAborted) == 1, "the broken one is counted");
    }

    private static byte[] Frames(IEnumerable<int> numbers)
    {
        ArrayBufferWriter<byte> frames = new();
        byte[] number = new byte[4];
        foreach (int n in numbers)
        {
            BinaryPrimitives.WriteInt32BigEndian(number, n);
            Framing.LengthPrefix(4).Write(number, frames);
        }

        return frames.WrittenSpan.ToArray();
    }
}
