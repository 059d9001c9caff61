#:project ../src/Doorbell
#:project ../src/Doorbell.Testing

// A service of one's own, tested on networks that lose, double, reorder and reset, in virtual time. Run it: dotnet run samples/simulate.cs
// and see how a mistake is found, and which seed finds it again: dotnet run samples/simulate.cs -- broken
using System.Buffers;
using System.Text;
using Doorbell;
using Doorbell.Links;
using Doorbell.Testing;

bool isBroken = args is ["broken"];
try
{
    Simulation.RunSeeds(1_000, network => Vote(network, new Votes(isBroken)));
    Console.WriteLine("1,000 networks: each voter counted once");
    return 0;
}
catch (SimulationFailedException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

static void Vote(SimulatedNetwork network, Votes votes)
{
    // A third is lost, a tenth comes twice or late, and the server is out of reach for ten seconds.
    network.DefaultLink = new LinkOptions { Loss = 0.3, Duplicate = 0.1, Reorder = 0.1, Delay = TimeSpan.FromMilliseconds(20) };
    SimulatedHost server = network.Host("server");
    SimulatedListener listener = network.ListenStream(server.At(7002), votes.Service);
    network.BindDatagram(server.At(7002), votes.Service);
    for (int i = 0; i < 5; i++)
    {
        SimulatedHost voter = network.Host($"voter {i}");
        network.After(TimeSpan.FromSeconds(1), () => network.Partition(server, voter));
        network.After(TimeSpan.FromSeconds(11), () => network.Heal(server, voter));
        VoteByDatagram(network, voter.At(1), server.At(7002), $"datagram {i}");
        VoteByStream(network, voter, server.At(7002), $"stream {i}");
    }

    network.RunUntilIdle();
    Check(listener.Fault is null, $"a handler threw: {listener.Fault}");
    Check(listener.RentedBytes == 0, "a connection keeps memory");
    Check(votes.Count == 10, $"10 voted and {votes.Count} votes are counted");
}

// Asks again every half second until it is answered.
static void VoteByDatagram(SimulatedNetwork network, PeerAddress from, PeerAddress to, string name)
{
    SimulatedDatagramSocket socket = null!;
    socket = network.BindDatagram(from, (answer, _, _) => socket.Close());
    socket.AlarmDue = () =>
    {
        socket.Send(to, Encoding.UTF8.GetBytes(name));
        socket.Alarm = network.Now + TimeSpan.FromSeconds(0.5);
    };
    socket.Alarm = network.Now + TimeSpan.FromSeconds(network.Random.NextDouble());
}

// Its first connection is reset at a byte that chance decides. It votes again until it is thanked.
static void VoteByStream(SimulatedNetwork network, SimulatedHost voter, PeerAddress to, string name, ushort port = 2)
{
    byte[] line = Encoding.UTF8.GetBytes(name + "\n");
    SimulatedClient client = network.ConnectStream(voter.At(port), to);
    if (port == 2)
    {
        client.ResetAfterSending(network.Random.Next(line.Length + 1));
    }

    client.Send(line);
    client.End();
    network.After(TimeSpan.FromMinutes(3), () =>
    {
        if (client.Received.IsEmpty)
        {
            VoteByStream(network, voter, to, name, (ushort)(port + 1));
        }
    });
}

static void Check(bool holds, string otherwise)
{
    if (!holds)
    {
        throw new InvalidOperationException(otherwise);
    }
}

// Counts each name once, or, if it is broken, each line.
internal sealed class Votes(bool isBroken)
{
    private readonly HashSet<string> _names = [];
    private int _lines;

    public int Count => isBroken ? _lines : _names.Count;

    public Service Service => Service.Lines("votes", (line, answer) =>
    {
        _lines++;
        _names.Add(Encoding.UTF8.GetString(line));
        answer.Write("thank you"u8);
    });
}
