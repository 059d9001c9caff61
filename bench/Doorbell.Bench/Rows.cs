namespace Doorbell.Bench;

/// <summary>The table of goals, row by row.</summary>
internal static class Rows
{
    private const string Epoll = "doorbell-epoll";
    private const string Uring = "doorbell-io_uring";
    private const string Portable = "doorbell-portable";
    private const string CEpoll = "c-epoll";
    private const string CUring = "c-io_uring";
    private const string CUdp = "c-recvfrom";

    private static readonly string[] _tcp =
        [CEpoll, CUring, Epoll, Uring, Portable, "tokio", "go", "netty", "kestrel", "dotnet-sockets"];

    private static readonly string[] _udp = [CUdp, "c-recvmmsg", "c-recvmmsg-gro", Epoll, "dotnet-udpclient", "dotnet-eventargs"];

    /// <summary>All of them.</summary>
    /// <param name="load">The load generator.</param>
    public static IReadOnlyList<Row> All(LoadProgram load) =>
    [
        Requests("ping-pong", "TCP ping-pong, 50 connections, 32-byte lines", _tcp,
            [new(Epoll, 1.03, CEpoll), new(Uring, 0.96, CEpoll), new(Uring, 1.0, CUring), new(Portable, 1.0, "kestrel")],
            load, "closed-loop", "--connections", "50"),
        Requests("pipelined", "16 lines in flight on each of 50 connections", _tcp,
            [new(Epoll, 1.02, CEpoll), new(Uring, 0.95, CEpoll), new(Portable, 1.0, "kestrel")],
            load, "closed-loop", "--connections", "50", "--depth", "16"),
        Requests("connect", "a new connection for each request, 50 at a time", _tcp,
            [new(Epoll, 1.0, CEpoll), new(Uring, 0.88, CEpoll), new(Portable, 1.0, "kestrel")],
            load, "connect-each", "--connections", "50"),
        Requests("many", "10,000 connections, all active in turn, 50 at a time", [CEpoll, CUring, Epoll, Uring],
            [new(Epoll, 1.05, CEpoll), new(Uring, 1.05, CUring)],
            load, "closed-loop", "--connections", "10000", "--active", "50"),
        new("idle", "10,000 idle connections, each answered once", Measure.Memory, Service.Capitalize, new IdleWork(load),
            [CEpoll, CUring, Epoll, Uring, Portable, "tokio", "go", "netty", "kestrel", "dotnet-sockets"],
            [new(Epoll, 0.6 * 1024, null), new(Uring, 0.6 * 1024, null)]) { FreshServers = true },
        new("large", "64 KiB lines, 8 connections", Measure.BytesPerCpuSecond, Service.Capitalize,
            new LoadWork(load, static report => report.BytesPerCpuSecond / 1e9, "closed-loop", "--connections", "8", "--bytes", "65536"),
            [CEpoll, Epoll, Uring, Portable, "tokio", "go", "netty", "kestrel"],
            [new(Epoll, 0.97, CEpoll), new(Uring, 0.97, CEpoll)]),
        new("stream", "one stream of 1 GiB through echo", Measure.BytesPerCpuSecond, Service.Echo, new StreamWork(load),
            [CEpoll, Epoll, Uring, Portable], [new(Epoll, 0.97, CEpoll), new(Uring, 0.97, CEpoll)]),
        Datagrams("udp", "UDP, plain senders, 16 sockets with 8 datagrams of 32 bytes in flight", 0.80,
            load, "datagrams", "--connections", "16", "--depth", "8"),
        Datagrams("udp-gso", "UDP, 3 senders of trains of 64 datagrams of 32 bytes (GSO)", 0.07,
            load, "datagram-trains", "--connections", "3", "--depth", "64"),
        new("latency", "p99 of an open loop, 50 connections, at half of C epoll's saturation", Measure.Latency, Service.Capitalize,
            new LatencyWork(load), [CEpoll, CUring, Epoll, Uring, Portable, "tokio", "go", "netty"],
            [new(Epoll, 1.1, CEpoll), new(Uring, 1.1, CEpoll)]),
    ];

    private static Row Requests(
        string name, string title, IReadOnlyList<string> servers, IReadOnlyList<Goal> goals, LoadProgram load, params string[] work) =>
        new(name, title, Measure.CpuPerRequest, Service.Capitalize,
            new LoadWork(load, static report => report.CpuPerRequest, work), servers, goals);

    private static Row Datagrams(string name, string title, double limit, LoadProgram load, params string[] work) =>
        new(name, title, Measure.CpuPerDatagram, Service.Datagrams,
            new LoadWork(load, static report => report.CpuPerRequest, work), _udp, [new(Epoll, limit, CUdp)]);
}
