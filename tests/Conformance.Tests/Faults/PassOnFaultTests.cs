using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// Much input that is passed on is sent from the lane's own memory, which the next receive writes into: whatever becomes of the sends,
/// every byte arrives once and in its place.
/// </summary>
[Collection("injects faults")]
public sealed class PassOnFaultTests
{
    private const int Bytes = 16 * 1024 * 1024;
    private const int Streams = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string, string, int> All
    {
        get
        {
            TheoryData<string, string, string, int> all = [];
            foreach (string model in new[] { "iterative", "thread", "loop/epoll", "loop/io_uring" })
            {
                all.Add(model, "tcp", nameof(SystemCall.Send), Libc.Interrupted);
                all.Add(model, "tcp", nameof(SystemCall.Receive), Libc.Interrupted);
                all.Add(model, "unix", nameof(SystemCall.Send), 0);
                all.Add(model, "unix", nameof(SystemCall.Receive), 0);
            }

            return all;
        }
    }

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(All))]
    public async Task Streams_are_passed_on_whole(string model, string transport, string call, int errno)
    {
        using SeededFaults faults = new(Seed, new Fault(Enum.Parse<SystemCall>(call), errno, OneIn: 4));
        await using Running server = await Running.StartAsync(ClassicServices.Echo, transport, model: model, change: options => options with
        {
            SocketOptions = transport == "tcp" ? [SocketOptionSetting.Parse("SO_SNDBUF=64K")] : [],
        });
        Peer[] peers = [.. Enumerable.Range(0, model == "iterative" ? 1 : Streams).Select(_ => server.Connect())];
        faults.Begin();
        Task<byte[]>[] streams = [.. peers.Select(static (peer, i) => Alone(() => PassThrough(peer.Socket, Pattern(i))))];
        byte[][] received = await Task.WhenAll(streams).WaitAsync(_patience, TestContext.Current.CancellationToken);
        SeededFaults.End();
        Array.ForEach(peers, static peer => peer.Dispose());
        Assert.True(faults.Done > 0, $"nothing failed (seed {Seed})");
        for (int i = 0; i < received.Length; i++)
        {
            byte[] expected = Pattern(i);
            Assert.Equal(expected.Length, received[i].Length);
            Assert.True(received[i].AsSpan().CommonPrefixLength(expected) == Bytes, $"stream {i} is not what was sent (seed {Seed})");
        }
    }

    private static byte[] Pattern(int number)
    {
        byte[] bytes = new byte[Bytes];
        new Random(Seed + number).NextBytes(bytes);
        return bytes;
    }

    private static byte[] PassThrough(Socket socket, byte[] bytes)
    {
        Task<byte[]> sending = Alone(() =>
        {
            for (int sent = 0; sent < bytes.Length;)
            {
                sent += socket.Send(bytes, sent, Math.Min(bytes.Length - sent, 1 << 20), SocketFlags.None);
            }

            socket.Shutdown(SocketShutdown.Send);
            return bytes;
        });
        byte[] received = new byte[bytes.Length + 1];
        int count = 0;
        int more;
        while ((more = socket.Receive(received, count, received.Length - count, SocketFlags.None)) > 0)
        {
            count += more;
        }

        sending.GetAwaiter().GetResult();
        return received[..count];
    }

    private static Task<byte[]> Alone(Func<byte[]> work) => Task.Factory.StartNew(
        work, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
