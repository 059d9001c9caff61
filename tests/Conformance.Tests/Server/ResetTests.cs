using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// A connection whose peer resets it gives its place back at once, whatever its handler waits for, and asynchronous code is told.
/// </summary>
public sealed class ResetTests
{
    private const int UnreadBytes = 256 * 1024;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string, string> Here
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in Models.Here)
            {
                all.Add(model, "tcp");
                all.Add(model, "unix");
            }

            return all;
        }
    }

    public static TheoryData<string> AllModels => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_connection_whose_handler_is_parked(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(), static (_, _) => { });
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_connection_whose_handler_is_parked_over_unread_bytes(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(), SendWhatStaysUnread);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_connection_whose_peer_has_half_closed(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(parks: false), static (peer, handler) =>
        {
            peer.HalfClose();
            Peer.Eventually(() => handler.HeardTheEnd.IsCompleted, "the handler has got there");
        });
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_connection_that_has_half_closed_itself_and_is_parked(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(finishes: true), static (_, handler) =>
        {
            // Finishing takes input again, so that it parks once more.
            handler.Ring();
            Peer.Eventually(() => handler.WasRung.IsCompleted, "the handler has got there");
        });
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_parked_connection_that_its_bell_had_woken_before(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(), static (peer, handler) =>
        {
            handler.Ring();
            peer.Send("y");
            Peer.Eventually(() => handler.TookMore.IsCompleted, "the handler has got there");
        });
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_ends_a_connection_whose_answer_nobody_takes(string model, string transport)
    {
        await EndsAtReset(model, transport, new Waiting(answerBytes: 12 * 1024 * 1024), static (peer, handler) =>
        {
            peer.HalfClose();
            Assert.False(handler.Closed.IsCompleted);
        });
    }

    [Theory]
    [MemberData(nameof(AllModels))]
    public async Task Code_at_work_is_told_of_a_reset_after_a_half_close(string model)
    {
        TaskCompletionSource atWork = Source();
        TaskCompletionSource<CloseReason?> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service service = Service.Stream("work", async connection =>
        {
            ReadResult read;
            do
            {
                read = await connection.Input.ReadAsync();
                connection.Input.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            atWork.SetResult();
            await UntilClosed(connection.Closed);
            told.SetResult(connection.CloseReason);
        });
        await using Running running = await Running.StartAsync(service, model: model);
        using Peer peer = running.Connect();
        peer.Send("question");
        peer.HalfClose();
        await atWork.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        peer.Reset();
        Assert.Equal(CloseReason.PeerReset, await told.Task.WaitAsync(_patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(AllModels))]
    public async Task Code_that_leaves_its_input_unread_is_told_of_a_reset(string model)
    {
        TaskCompletionSource<CloseReason?> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service service = Service.Stream("deaf", async connection =>
        {
            await UntilClosed(connection.Closed);
            told.SetResult(connection.CloseReason);
        });
        await using Running running = await Running.StartAsync(service, model: model);
        using Peer peer = running.Connect();
        peer.Send(new byte[UnreadBytes]);
        Peer.Eventually(() => running.Counts.BytesReceived >= 64 * 1024, "as much as may be is unread");
        peer.Reset();
        Assert.Equal(CloseReason.PeerReset, await told.Task.WaitAsync(_patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(AllModels))]
    public async Task A_message_in_work_is_told_of_a_reset_after_a_half_close_and_behind_unread_ones(string model)
    {
        TaskCompletionSource atWork = Source();
        TaskCompletionSource told = Source();
        Service service = Service.Framed(
            "slow",
            Framing.Line,
            async (_, _, _, closed) =>
            {
                atWork.TrySetResult();
                await UntilClosed(closed);
                told.TrySetResult();
            },
            maxConcurrent: 1);
        await using Running running = await Running.StartAsync(service, model: model);
        using Peer peer = running.Connect();
        peer.Send("first\nsecond\nthird\n");
        peer.HalfClose();
        await atWork.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        peer.Reset();
        await told.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Peer.Eventually(() => running.Counts.Closed(CloseReason.PeerReset) == 1, "it is counted as a reset");
    }

    private static async Task EndsAtReset(string model, string transport, Waiting handler, Action<Peer, Waiting> before)
    {
        Service service = new("waiting") { NewStreamHandler = _ => handler };
        await using Running running = await Running.StartAsync(service, transport, model: model);
        using Peer peer = running.Connect();
        peer.Send("x");
        await handler.Began.WaitAsync(_patience, TestContext.Current.CancellationToken);

        // What the server said stays unread, so that closing a unix socket is a reset too (unix_release_sock() in net/unix/af_unix.c).
        Peer.Eventually(() => peer.Socket.Available > 0, "the server has said something");
        before(peer, handler);
        peer.Reset();
        Assert.Equal(CloseReason.PeerReset, await handler.Closed.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Peer.Eventually(() => running.Counts.Closed(CloseReason.PeerReset) == 1, "it is counted");
        Peer.Eventually(() => running.Server.Connections.Count == 0, "its place is free");
    }

    private static void SendWhatStaysUnread(Peer peer, Waiting handler)
    {
        peer.Socket.Blocking = false;
        byte[] bytes = Encoding.ASCII.GetBytes(new string('u', UnreadBytes));
        int count = peer.Socket.Send(bytes, SocketFlags.None, out SocketError error);
        Assert.True(count > 0 || error == SocketError.Success, $"{error}");
    }

    private static Task UntilClosed(CancellationToken closed) =>
        Task.Delay(Timeout.Infinite, closed).ContinueWith(static _ => { }, TaskScheduler.Default);

    private static TaskCompletionSource Source() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Says something at the first byte, and then waits: parked, or for input.</summary>
    private sealed class Waiting(bool parks = true, bool finishes = false, int answerBytes = 5) : StreamHandler
    {
        private readonly TaskCompletionSource<CloseReason> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _began = Source();
        private readonly TaskCompletionSource _again = Source();
        private readonly TaskCompletionSource _rung = Source();
        private readonly TaskCompletionSource _ended = Source();
        private Bell? _bell;

        public Task Began => _began.Task;

        public Task TookMore => _again.Task;

        public Task WasRung => _rung.Task;

        public Task HeardTheEnd => _ended.Task;

        public Task<CloseReason> Closed => _closed.Task;

        public void Ring() => _bell!.Ring();

        public override Next OnOpen(Turn turn)
        {
            _bell = turn.Bell;
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Next next = parks ? Next.Park : Next.More;
            if (_began.Task.IsCompleted)
            {
                _again.TrySetResult();
                return new Step(input.Length, next);
            }

            turn.Output.Write(new byte[answerBytes]);
            _began.SetResult();
            return new Step(input.Length, finishes ? Next.Finish : next);
        }

        public override Next OnRing(Turn turn)
        {
            _rung.TrySetResult();
            return finishes ? Next.Park : Next.More;
        }

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
        {
            _ended.SetResult();
            return Next.Park;
        }

        public override void OnClosed(CloseReason reason) => _closed.SetResult(reason);
    }
}
