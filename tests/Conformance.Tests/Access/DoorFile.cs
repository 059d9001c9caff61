namespace Doorbell.Tests;

/// <summary>
/// Starts a server whose one door has something of its own, under any model: a worker process is the command's, which reads the same of a
/// configuration file.
/// </summary>
internal static class DoorFile
{
    /// <param name="service">A classic service, which the command knows too.</param>
    /// <param name="model">A server model's name.</param>
    /// <param name="transport">As <see cref="Running.StartAsync"/> has it.</param>
    /// <param name="change">What the door should have.</param>
    /// <param name="ofDoor">The same as JSON: members of the door's object, such as <c>"Limits": {}</c>.</param>
    public static async Task<Running> StartAsync(
        Service service, string model, string transport, Func<ServerOptions, ServerOptions> change, string ofDoor)
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        return await Running.StartAsync(
            service,
            transport,
            model: model,
            change: options =>
            {
                string door = $$"""{ "Endpoint": "{{options.Endpoints[0]}}", "Service": "{{service.Name}}", {{ofDoor}} }""";
                File.WriteAllText(file, $$"""{ "Doors": [ {{door}} ], "Model": "{{model}}" }""");
                return change(options);
            },
            settings: made => model is "process" or "prefork"
                ? made with { WorkerCommand = [Running.Command, "doorbell", "serve", "--config", file] }
                : made);
    }

    /// <summary>A door's list.</summary>
    public static string Json(AccessList access) =>
        $$"""  "Access": { "Allow": [{{Ranges(access.Allow)}}], "Deny": [{{Ranges(access.Deny)}}] } """;

    private static string Ranges(IReadOnlyList<AddressRange> ranges) => string.Join(", ", ranges.Select(static range => $"\"{range}\""));
}
