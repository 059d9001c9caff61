#:project ../src/Doorbell
#:project ../src/Protocols/Doorbell.Coap

// A resource of one's own over CoAP: POST switches the lamp, and a request that the network doubles switches it once. Run it:
// dotnet run samples/lamp.cs, and ask it: coap-client-notls -m post coap://localhost/lamp
using System.Buffers;
using Doorbell;
using Doorbell.Coap;

int switched = 0;
CoapResource lamp = new((request, body) =>
{
    bool isSwitch = request.Method == CoapCode.Post;
    int times = isSwitch ? Interlocked.Increment(ref switched) : Volatile.Read(ref switched);
    body.Write(times % 2 == 1 ? "on"u8 : "off"u8);
    return isSwitch ? CoapCode.Changed : CoapCode.Content;
})
{
    Methods = [CoapCode.Get, CoapCode.Post],
    ContentFormat = CoapFormat.Text,
    MaxAnswerBytes = 3,
};

Service home = CoapService.From("home", new Dictionary<string, CoapResource> { ["lamp"] = lamp });
await using Server server = await Server.StartAsync(home, "udp://localhost:5683");
Console.WriteLine($"serving /lamp on {string.Join(", ", server.Doors.Select(door => door.Endpoint))}; press Enter to stop");
Console.ReadLine();
