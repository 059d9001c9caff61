using Doorbell.Processes.Programs;
using Doorbell.Serving;

namespace Doorbell.Engines;

/// <summary>What of a server's options the system and the engine can't run.</summary>
internal static class RunnableServices
{
    /// <exception cref="PlatformNotSupportedException">The engine can't run the model, or starts no programs.</exception>
    /// <exception cref="NetworkException">A program is not to be found.</exception>
    public static void Require(ServerOptions options, ServerModel model, IEngine engine)
    {
        Service? ofProgram = options.Services.FirstOrDefault(static service => service.Program is not null);
        if (ofProgram is not null && !OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                $"the service {ofProgram.Name} is a program, and to give one a connection needs Linux: serve a handler here");
        }

        if (engine.Refuses(model) is { } why)
        {
            throw new PlatformNotSupportedException(why);
        }

        foreach (Service service in options.Services)
        {
            if (service.Program is not { } program)
            {
                continue;
            }

            if (!engine.StartsProcesses)
            {
                throw new PlatformNotSupportedException(
                    $"the service {service.Name} is a program, and the portable engine, the only one for the model async, starts none: "
                    + "choose another model, or leave out both the engine and the model");
            }

            _ = ProgramFile.Find(program.FileName);
        }
    }
}
