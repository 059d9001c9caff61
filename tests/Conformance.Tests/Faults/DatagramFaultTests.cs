using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// The calls that move datagrams fail, and do a part of what they were asked. Whatever fails: each datagram is answered once or counted as
/// dropped, and the lane goes on. (Unix datagrams are sent by .NET's own socket, and none of its calls is failed here.)
/// </summary>
[Collection("injects faults")]
public sealed class DatagramFaultTests
{
    private const int Waves = 12;
    private const int NotPermitted = 1;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>One such failure costs nobody an answer. 0 is a call that moves fewer messages than it was asked to.</summary>
    public static TheoryData<string, int> Passing => Pairs(
        [0, Libc.Interrupted, Libc.TryAgain, LibcMessages.ConnectionRefused, Libc.NoBuffers, Libc.OutOfMemory],
        [0, Libc.Interrupted, Libc.TryAgain, LibcMessages.ConnectionRefused]);

    /// <summary>Any of these may come again and again.</summary>
    public static TheoryData<string, int> All => Pairs(
        [0, Libc.Interrupted, Libc.TryAgain, LibcMessages.ConnectionRefused, Libc.NoBuffers, Libc.OutOfMemory, NotPermitted],
        [
            0, Libc.Interrupted, Libc.TryAgain, LibcMessages.ConnectionRefused, Libc.NoBuffers, Libc.OutOfMemory, NotPermitted,
            LibcMessages.MessageTooLong, Libc.InvalidArgument, LibcMessages.InputOutputError, LibcMessages.NetworkUnreachable,
        ]);

    /// <summary>Those that say of a receive "not now", which does not mean that there is nothing.</summary>
    public static TheoryData<int> NotNow =>
        [0, Libc.Interrupted, LibcMessages.ConnectionRefused, Libc.NoBuffers, Libc.OutOfMemory];

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task The_nth_call_fails_and_no_answer_is_lost(string call, int errno)
    {
        using HeldDatagrams held = new();
        await using Running server = await StartAsync(held);
        for (int nth = 1; nth <= Waves; nth++)
        {
            using NthFault fault = new(Enum.Parse<SystemCall>(call), errno, nth);
            fault.Begin();
            for (int i = 0; i < Waves && !fault.Done; i++)
            {
                Wave(held, server);
            }

            Assert.True(fault.Done, $"call {nth} never came (seed {Seed})");
        }

        Assert.Equal(0, server.Counts.Errors);
        await AssertSoundAsync(held, server);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Whatever_fails_again_and_again_each_datagram_is_answered_once_or_counted(string call, int errno)
    {
        using HeldDatagrams held = new();
        await using Running server = await StartAsync(held);
        using SeededFaults faults = new(Seed, new Fault(Enum.Parse<SystemCall>(call), errno, OneIn: 2));
        faults.Begin();
        for (int i = 0; i < Waves; i++)
        {
            Wave(held, server);
        }

        SeededFaults.End();
        Assert.True(faults.Done > 0, $"nothing failed (seed {Seed})");
        await AssertSoundAsync(held, server);
    }

    [Theory]
    [MemberData(nameof(NotNow))]
    public async Task What_the_kernel_holds_when_the_drain_begins_is_answered_though_receives_fail(int errno)
    {
        using HeldDatagrams held = new();
        await using Running server = await StartAsync(held);
        using SeededFaults faults = new(Seed, new Fault(SystemCall.ReceiveDatagrams, errno, OneIn: 2));
        held.Hold();
        held.Ask(new Random(Seed));
        Task drained = server.Server.DrainAsync(_patience);
        faults.Begin();
        held.GoOn();
        await drained.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.True(faults.Done > 0, $"nothing failed (seed {Seed})");
        AssertCounted(held, server);
        Assert.Equal(held.Arrived(server.Counts), held.Answered);
    }

    private static TheoryData<string, int> Pairs(int[] ofReceives, int[] ofSends)
    {
        TheoryData<string, int> all = [];
        Array.ForEach(ofReceives, errno => all.Add(nameof(SystemCall.ReceiveDatagrams), errno));
        Array.ForEach(ofSends, errno => all.Add(nameof(SystemCall.SendDatagrams), errno));
        return all;
    }

    private static async Task<Running> StartAsync(HeldDatagrams held)
    {
        Running server = await Running.StartAsync(
            held.Service, "udp", model: "iterative", change: static options => options with
            {
                SocketOptions = [SocketOptionSetting.Parse("SO_RCVBUF=2000000")],
            });
        held.Connect(server);
        return server;
    }

    private static void Wave(HeldDatagrams held, Running server)
    {
        held.Hold();
        held.Ask(new Random(Seed + held.Asked));
        held.GoOn();
        Peer.Eventually(
            () => Settled(server.Counts) == held.Arrived(server.Counts), $"all {held.Asked} are answered or counted (seed {Seed})");
        held.TakeAnswers();
    }

    private static long Settled(LedgerSnapshot counts) => counts.DatagramsSent + counts.Dropped(DatagramDrop.SendFailed);

    /// <summary>It serves as if nothing had been, loses nothing any more, and ends.</summary>
    private static async Task AssertSoundAsync(HeldDatagrams held, Running server)
    {
        long errors = server.Counts.Errors;
        Wave(held, server);
        Assert.Equal(errors, server.Counts.Errors);
        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
        AssertCounted(held, server);
    }

    /// <summary>All that came is counted, what is counted as sent has come, and nothing else.</summary>
    private static void AssertCounted(HeldDatagrams held, Running server)
    {
        LedgerSnapshot counts = server.Counts;
        Peer.Eventually(
            () =>
            {
                held.TakeAnswers();
                return held.Answered >= counts.DatagramsSent;
            },
            $"all {counts.DatagramsSent} answers come (seed {Seed})");
        Assert.Equal(held.Arrived(counts) + held.Holds, counts.DatagramsReceived);
        Assert.Equal(held.Arrived(counts), Settled(counts));
        Assert.Equal(counts.DatagramsSent, held.Answered);
        Assert.Equal(counts.Dropped(DatagramDrop.SendFailed), counts.Errors);
    }
}
