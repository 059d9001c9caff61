#:project ../src/Doorbell

// A protocol of one's own, with state and pushes: what one guest says, all others hear. Run it: dotnet run samples/chat.cs
// and join it from two terminals: dotnet run -c Release --project src/Doorbell.Cli -- connect tcp://localhost:7001
using System.Collections.Concurrent;
using Doorbell;

Room room = new();
Service chat = new("chat") { NewStreamHandler = _ => new Guest(room) };
await using Server server = await Server.StartAsync(chat, "tcp://localhost:7001");
Console.WriteLine("serving chat on tcp://localhost:7001; press Enter to stop");
Console.ReadLine();

internal sealed class Room
{
    public ConcurrentDictionary<Guest, bool> Guests { get; } = [];
}

internal sealed class Guest(Room room) : StreamHandler
{
    private readonly ConcurrentQueue<byte[]> _heard = [];
    private Bell? _bell;

    public override Next OnOpen(Turn turn)
    {
        _bell = turn.Bell;
        room.Guests[this] = true;
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        int end = input.IndexOf((byte)'\n') + 1;
        byte[] line = [.. input[..end]];
        foreach (Guest guest in room.Guests.Keys.Where(guest => guest != this && end > 0))
        {
            // Any thread may ring a bell; the guest's own lane then calls its OnRing.
            guest._heard.Enqueue(line);
            guest._bell?.Ring();
        }

        return Step.More(end);
    }

    public override Next OnRing(Turn turn)
    {
        while (_heard.TryDequeue(out byte[]? line))
        {
            turn.Output.Write(line);
        }

        return Next.More;
    }

    public override void OnClosed(CloseReason reason) => room.Guests.TryRemove(this, out _);
}
