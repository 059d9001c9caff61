#:project ../src/Doorbell

// A service in ten lines: each line comes back reversed, over TCP and UDP. Run it: dotnet run samples/reverse.cs
// and ask it: dotnet run -c Release --project src/Doorbell.Cli -- ask tcp://localhost:7000 stressed
using Doorbell;

Service reverse = Service.Lines("reverse", (line, answer) =>
{
    line.CopyTo(answer.GetSpan(line.Length + 1));
    answer.GetSpan(line.Length + 1)[..line.Length].Reverse();
    answer.Advance(line.Length);
});

await using Server server = await Server.StartAsync(reverse, "tcp://localhost:7000", "udp://localhost:7000");
Console.WriteLine($"serving {reverse.Name} on {string.Join(", ", server.Doors.Select(door => door.Endpoint))}; press Enter to stop");
Console.ReadLine();
