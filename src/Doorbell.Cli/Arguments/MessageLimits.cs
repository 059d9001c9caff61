namespace Doorbell.Cli.Arguments;

/// <summary>Refuses a bound of messages for services that keep no input back: they would never come to it.</summary>
internal static class MessageLimits
{
    /// <summary>A line that is as long is answered as it comes.</summary>
    private const int LongLineBytes = 16 * 1024;

    /// <exception cref="ArgumentException">The bound has no effect on what is served.</exception>
    public static void RequireEffect(ServerOptions options)
    {
        DoorOptions[] streams = [.. options.Doors.Where(static door => door.Endpoint.IsStream && door.Service.Program is null)];
        foreach (DoorOptions door in streams.Where(static door => door.Limits.MaxMessageBytes is not null))
        {
            Require([door], door.Limits.MaxMessageBytes!.Value, $"{door.Endpoint}: MaxMessageBytes");
        }

        if (options.StreamLimits?.MaxMessageBytes is { } most && streams.Length > 0)
        {
            Require(streams, most, "--max-message");
        }
    }

    private static void Require(DoorOptions[] doors, int most, string limit)
    {
        if (doors.All(door => Why(door.Service.Name, most) is not null))
        {
            Service service = doors[0].Service;
            throw new ArgumentException($"{limit} has no effect on {service.Name}, which {Why(service.Name, most)}. Leave it out.");
        }
    }

    /// <summary>Why a service never holds so much input; null if it may.</summary>
    private static string? Why(string service, int most) => service switch
    {
        "echo" or "discard" or "daytime" or "time" or "broker" => "takes bytes as they come and has no messages",
        NamedServices.Default when most >= LongLineBytes => $"answers a line of {SizeText.Of(LongLineBytes)} or more as it comes",
        _ => null,
    };
}
