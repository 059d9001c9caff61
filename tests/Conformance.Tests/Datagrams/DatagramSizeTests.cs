using System.Net;
using System.Net.Sockets;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>The largest datagrams: 65,507 bytes over IPv4, 65,527 over IPv6 (RFC 768, RFC 8200 section 3).</summary>
public sealed class DatagramSizeTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(60);

    public static TheoryData<string?, bool, string, int> Sizes
    {
        get
        {
            TheoryData<string?, bool, string, int> all = [];
            foreach ((string? model, bool isProgram) in new (string?, bool)[]
            {
                (null, false), ("iterative", false), ("thread", false), ("pool", false), ("async", false), (null, true),
            })
            {
                all.Add(model, isProgram, "127.0.0.1", 65_507);
                all.Add(model, isProgram, "::1", 65_508);
                all.Add(model, isProgram, "::1", 65_527);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task The_largest_datagrams_of_each_family_come_back_whole(string? model, bool isProgram, string address, int bytes)
    {
        Service service = isProgram ? Service.Run("cat", new ServiceProgram("/bin/cat", [])) : ClassicServices.Echo;
        await using Running server = await Running.StartAsync(service, "udp", model: model, change: options => options with
        {
            Endpoints = [Endpoint.From(Transport.Udp, new IPEndPoint(IPAddress.Parse(address), 0))],
        });
        byte[] question = new byte[bytes];
        new Random(bytes).NextBytes(question);
        DatagramAnswer answer = await DatagramClient.AskAsync(server.Endpoint, question, _timeout, RetrySchedule.Default, default);
        Assert.Equal(question, answer.Bytes);
        Assert.Equal(0, server.Counts.Errors);
    }

    [Fact]
    public async Task A_programs_answer_that_ipv4_cannot_carry_is_counted_as_too_large()
    {
        Service service = Service.Run("many", ServiceProgram.Shell("head -c 65510 /dev/zero"));
        await using Running server = await Running.StartAsync(service, "udp");
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.SendTo("hi"u8, new IPEndPoint(IPAddress.Loopback, server.Endpoint.Port));
        Peer.Eventually(() => server.Counts.Dropped(DatagramDrop.AnswerTooLarge) == 1, "it is counted");
        Assert.Equal(0, server.Counts.Dropped(DatagramDrop.SendFailed));
    }
}
