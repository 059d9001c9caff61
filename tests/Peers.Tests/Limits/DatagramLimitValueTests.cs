using System.Text.Json;

namespace Doorbell.Tests;

/// <summary>
/// The limits of a door for datagrams, as a configuration file says them, under every server model and over both transports: each acts at
/// its value and is counted under its name.
/// </summary>
public sealed class DatagramLimitValueTests
{
    public static TheoryData<string, string> Doors
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in
                (string[])["iterative", "process", "prefork", "thread", "pool", "async", "loop/epoll", "loop/io_uring"])
            {
                all.Add("udp", model);
                all.Add("unix+dgram", model);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public void A_datagram_may_have_so_many_bytes_and_not_one_more(string transport, string model)
    {
        using CountingServer server = CountingServer.StartDoor(transport, model, "\"MaxDatagramBytes\": 100");
        using DatagramCaller caller = new(server.Endpoint);
        caller.Send(new string('a', 101));
        foreach (int length in (int[])[99, 100])
        {
            caller.Send(new string('a', length));
            Assert.Equal(length, caller.Receive().Length);
        }

        JsonElement summary = JsonDocument.Parse(server.End()).RootElement;
        Assert.Equal(1, summary.GetProperty("datagramsDropped").GetProperty("truncated").GetInt64());
        Assert.Equal((2, 1), (summary.GetProperty("datagramsSent").GetInt64(), summary.GetProperty("errors").GetInt64()));
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public void A_peer_in_a_loop_is_answered_so_often_and_the_rest_is_counted(string transport, string model)
    {
        const int Asked = 9;
        using CountingServer server = CountingServer.StartDoor(transport, model, "\"LoopGuardAnswers\": 5");
        using DatagramCaller caller = new(server.Endpoint);
        for (int i = 0; i < Asked; i++)
        {
            caller.Send("a");
        }

        int answers = 0;
        for (; answers < 5; answers++)
        {
            caller.Receive();
        }

        while (!caller.IsSilentFor(TimeSpan.FromSeconds(1)))
        {
            caller.Receive();
            answers++;
        }

        JsonElement summary = JsonDocument.Parse(server.End()).RootElement;
        long refused = summary.GetProperty("datagramsDropped").GetProperty("suspectedLoop").GetInt64();
        Assert.InRange(answers, 5, Asked - 1);
        Assert.Equal((Asked - answers, Asked - answers), (refused, summary.GetProperty("errors").GetInt64()));
        Assert.Equal(Asked, summary.GetProperty("datagramsReceived").GetInt64());
    }
}
