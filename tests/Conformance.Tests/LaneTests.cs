using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>No connection, handler or peer keeps a lane from its others or from its end, whatever carries it.</summary>
public sealed class LaneTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => [.. Models.Here];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_that_always_has_more_to_send_ends_with_the_server(string model)
    {
        Service endless = new("endless") { NewStreamHandler = static _ => new Endless() };
        await using Running server = await StartAsync(endless, model);
        using Peer peer = server.Connect();
        Task reading = Task.Factory.StartNew(() => ReadToEndOrReset(peer), TaskCreationOptions.LongRunning);
        Peer.Eventually(() => server.Counts.ConnectionsOpened == 1, "it is served");
        try
        {
            await server.Server.DrainAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(_patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            peer.Dispose();
        }

        await reading;
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Fact]
    public async Task A_handler_that_always_has_more_to_send_lets_the_others_of_its_loop_be_served()
    {
        Service some = new("some") { NewStreamHandler = static _ => new Endless(onlyIfAsked: true) };
        await using Running server = await StartAsync(some, "loop");
        using Peer greedy = server.Connect();
        using Peer modest = server.Connect();
        Task reading = Task.Factory.StartNew(() => ReadToEndOrReset(greedy), TaskCreationOptions.LongRunning);
        greedy.Send("*");
        Peer.Eventually(() => server.Counts.BytesReceived == 1, "it has asked for all there is");
        try
        {
            Assert.Equal("a", modest.Ask("a"));
        }
        finally
        {
            greedy.Dispose();
        }

        await reading;
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_that_rings_its_own_bell_for_ever_does_not_keep_the_server(string model)
    {
        Service restless = new("restless") { NewStreamHandler = static _ => new Restless() };
        await using Running server = await StartAsync(restless, model);
        using Peer first = server.Connect();
        Assert.Equal("a", first.Ask("a"));
        if (model != "iterative")
        {
            using Peer second = server.Connect();
            Assert.Equal("b", second.Ask("b"));
        }

        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Rings_that_come_while_the_lane_is_busy_are_one(string model)
    {
        using ManualResetEventSlim go = new();
        TaskCompletionSource<Bell> bell = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int rings = 0;
        Service slow = new("slow")
        {
            NewStreamHandler = _ => new Scripted
            {
                Bytes = (_, turn) =>
                {
                    bell.TrySetResult(turn.Bell);
                    go.Wait(_patience);
                },
                Ring = () => rings++,
            },
        };
        await using Running server = await StartAsync(slow, model);
        using Peer peer = server.Connect();
        peer.Send("a");
        Bell its = await bell.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        for (int i = 0; i < 1000; i++)
        {
            its.Ring();
        }

        go.Set();
        Assert.Equal("a", peer.Receive(1));
        Peer.Eventually(() => Volatile.Read(ref rings) > 0, "the ring is heard");
        Assert.Equal("b", peer.Ask("b"));
        Assert.Equal(1, Volatile.Read(ref rings));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_comes_behind_an_urgent_byte_is_not_left_lying(string model)
    {
        // tcp(7): a receive stops at urgent data, though there is more behind it.
        using ManualResetEventSlim go = new();
        using ManualResetEventSlim busy = new();
        Service slow = new("slow") { NewStreamHandler = _ => new Scripted { Bytes = (_, _) => Hold(busy, go) } };
        await using Running server = await StartAsync(slow, model);
        using Peer peer = server.Connect();
        peer.Send(".");
        Assert.True(busy.Wait(_patience, TestContext.Current.CancellationToken));
        peer.Send("before ");
        peer.Socket.Send("!"u8, SocketFlags.OutOfBand);
        peer.Send("behind");
        go.Set();
        Assert.Equal(".before behind", peer.Receive(14));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_comes_behind_a_passed_descriptor_is_not_left_lying(string model)
    {
        // unix(7): a receive stops behind data that descriptors came with, though there is more.
        using ManualResetEventSlim go = new();
        using ManualResetEventSlim busy = new();
        Service slow = new("slow") { NewStreamHandler = _ => new Scripted { Bytes = (_, _) => Hold(busy, go) } };
        await using Running server = await StartAsync(slow, model, "unix");
        using Peer peer = server.Connect();
        peer.Send(".");
        Assert.True(busy.Wait(_patience, TestContext.Current.CancellationToken));
        int own = (int)peer.Socket.Handle;
        Assert.Equal(0, DescriptorPassing.TrySend(own, (byte)'d', [0]));
        peer.Send("behind");
        go.Set();
        Assert.Equal(".dbehind", peer.Receive(8));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_that_throws_when_it_is_asked_whether_it_is_idle_costs_its_own_connection(string model)
    {
        int made = 0;
        Service brittle = new("brittle") { NewStreamHandler = _ => new Scripted { Idle = ++made == 1 ? Broken : static () => false } };
        await using Running server = await StartAsync(brittle, model);
        using Peer first = server.Connect();
        Assert.Equal("a", first.Ask("a"));
        using Peer second = server.Connect();
        if (model != "iterative")
        {
            Assert.Equal("b", second.Ask("b"));
        }

        Task drained = server.Server.DrainAsync(_patience);
        Assert.Throws<SocketException>(() => first.ReceiveToEnd());
        Assert.Equal("c", second.Ask("c"));
        second.HalfClose();
        Assert.Equal("", second.ReceiveToEnd());
        await drained.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.HandlerFault));
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_fault_that_can_not_say_what_it_is_costs_one_connection(string model)
    {
        Service mute = new("mute") { NewStreamHandler = static _ => new Scripted { Bytes = static (_, _) => throw new MuteException() } };
        await using Running server = await StartAsync(mute, model);
        for (int i = 0; i < 3; i++)
        {
            using Peer peer = server.Connect();
            peer.Send("a");
            Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        }

        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(3, server.Counts.Closed(CloseReason.HandlerFault));
        Assert.Equal(0, server.Counts.ConnectionsOpen);
    }

    /// <summary>One loop, so that all connections are in the same.</summary>
    private static Task<Running> StartAsync(Service service, string model, string transport = "tcp") => Running.StartAsync(
        service, transport, change: options => options with
        {
            Model = model.StartsWith("loop", StringComparison.Ordinal) ? ServerModel.Loop(1) : ServerModel.Named(model),
            Engine = Models.EngineOf(model),
        });

    private static void ReadToEndOrReset(Peer peer)
    {
        byte[] buffer = new byte[65536];
        try
        {
            while (peer.Socket.Receive(buffer) > 0)
            {
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
        }
    }

    private static void Hold(ManualResetEventSlim busy, ManualResetEventSlim go)
    {
        busy.Set();
        go.Wait(_patience);
    }

    private static bool Broken() => throw new FormatException("not even this");

    private sealed class MuteException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message");
    }

    /// <summary>Echoes.</summary>
    private sealed class Scripted : StreamHandler
    {
        public delegate void BytesAction(ReadOnlySpan<byte> input, Turn turn);

        public BytesAction Bytes { get; init; } = static (_, _) => { };

        public Action Ring { get; init; } = static () => { };

        public Func<bool> Idle { get; init; } = static () => true;

        public override bool IsIdle => Idle();

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Bytes(input, turn);
            turn.Output.Write(input);
            return Step.More(input.Length);
        }

        public override Next OnRing(Turn turn)
        {
            Ring();
            return Next.Stay;
        }
    }

    /// <summary>Writes the next byte as soon as the last is sent.</summary>
    private sealed class Endless(bool onlyIfAsked = false) : StreamHandler
    {
        private bool _asked = !onlyIfAsked;

        public override bool IsIdle => !_asked;

        public override Next OnOpen(Turn turn) => OnFlushed(turn);

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            _asked |= input[0] == '*';
            turn.Output.Write(input);
            return Step.More(input.Length);
        }

        public override Next OnFlushed(Turn turn)
        {
            if (_asked)
            {
                turn.Output.Write("x"u8);
            }

            return Next.Stay;
        }
    }

    private sealed class Restless : StreamHandler
    {
        public override bool IsIdle => false;

        public override Next OnOpen(Turn turn)
        {
            turn.Bell.Ring();
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(input);
            return Step.More(input.Length);
        }

        public override Next OnRing(Turn turn)
        {
            turn.Bell.Ring();
            return Next.Stay;
        }
    }
}
