using System.Globalization;
using System.Net;
using Doorbell.Bench.Kestrel;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

// Kestrel PORT: the default socket transport; one processor gives it one I/O queue.
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(options => options.Listen(
    IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture), static listen => listen.UseConnectionHandler<Capitalizer>()));
await using WebApplication application = builder.Build();
await application.StartAsync();
string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
Console.WriteLine($"listening {new Uri(address).Port}");
await application.WaitForShutdownAsync();
