using System.Text;

namespace Doorbell.Tests;

/// <summary>The proxies on real sockets, under every model that serves in this process.</summary>
public sealed class TunnelTests
{
    private const string Connected = "HTTP/1.1 200 Connection established\r\n\r\n";

    public static TheoryData<string> Here => [.. Models.Here];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_client_is_connected_to_a_name_and_bytes_and_ends_pass_through(string model)
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize);
        await using Running proxy = await Running.StartAsync(HttpProxy.New(TunnelOptions.Default), model: model);
        for (int visit = 0; visit < 3; visit++)
        {
            using Peer peer = proxy.Connect();
            peer.Send($"CONNECT localhost:{capitalize.Endpoint.Port} HTTP/1.1\r\n\r\nearly\n");
            Assert.Equal(Connected + "EARLY\n", peer.Receive(Connected.Length + 6));
            Assert.Equal("HELLO\n", peer.Ask("hello\n"));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
        }

        Peer.Eventually(() => proxy.Counts.Closed(CloseReason.Completed) == 6, "both sides end in order");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_name_leads_nowhere_where_its_addresses_may_not_go(string model)
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize);
        int port = capitalize.Endpoint.Port;
        TunnelOptions none = TunnelOptions.Default with { Targets = [TargetRange.Parse("public")] };
        await using Running proxy = await Running.StartAsync(HttpProxy.New(none), model: model);
        foreach (string host in new[] { "localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]" })
        {
            using Peer peer = proxy.Connect();
            peer.Send($"CONNECT {host}:{port} HTTP/1.1\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 403 ", peer.ReceiveToEnd(), StringComparison.Ordinal);
        }

        Assert.Equal(0, capitalize.Counts.ConnectionsOpened);
        TunnelOptions one = TunnelOptions.Default with { Targets = [TargetRange.Parse($"127.0.0.0/8:{port}")] };
        await using Running allowing = await Running.StartAsync(SocksProxy.New(one), model: model);
        using Peer allowed = allowing.Connect();
        allowed.Send(Encoding.Latin1.GetString([5, 1, 0]));
        Assert.Equal("\x05\x00", allowed.Receive(2));
        allowed.Send([5, 1, 0, 3, 9, .. "localhost"u8, (byte)(port >> 8), (byte)port]);
        Assert.Equal("\x05\x00\x00\x01", allowed.Receive(10)[..4]);
        Assert.Equal("HELLO\n", allowed.Ask("hello\n"));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Many_megabytes_pass_both_ways_at_once(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        await using Running proxy = await Running.StartAsync(HttpProxy.New(TunnelOptions.Default), model: model);
        using Peer peer = proxy.Connect();
        peer.Send($"CONNECT 127.0.0.1:{echo.Endpoint.Port} HTTP/1.1\r\n\r\n");
        Assert.Equal(Connected, peer.Receive(Connected.Length));
        string much = new('x', 8_000_000);
        Task sending = Task.Run(
            () =>
            {
                peer.Send(much);
                peer.HalfClose();
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(much.Length, peer.ReceiveToEnd().Length);
        await sending;
    }
}
