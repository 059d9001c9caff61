using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Verbs;
using Doorbell.Native;

namespace Doorbell.Cli;

/// <summary>The <c>doorbell</c> command: one file a verb.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        if (OperatingSystem.IsLinux())
        {
            StandardDescriptors.TakeClosed();
            FileSizeLimit.FailsWrites();
            AddressSpace.Spare();
            if (AddressSpace.Lack() is { } lack)
            {
                return Failure.AtStart(lack);
            }
        }

        Terminal.NeverStopsForSettings();
        Terminal.StaysAsItIs();
        LineWriter.Error.Open();
        int code = await RunAsync(RawArguments.Of(arguments));
        if (LineWriter.Output.Finish() is > 0 and var unread)
        {
            Failure.Post($"write standard output: {LineWriter.Lines(unread)} not written, since nobody read them");
        }

        _ = LineWriter.Error.Finish();
        return code;
    }

    private static async Task<int> RunAsync(string[] arguments)
    {
        string[]? program = ProgramArguments.Take(ref arguments);
        // Each is a Verb: it has examples, which its help shows and a test runs.
        Verb[] verbs =
        [
            ServeCommand.Make(program), AskCommand.Make(), ConnectCommand.Make(program), OptionsCommand.Make(), DemoCommand.Make(),
            BenchCommand.Make(), ImpairCommand.Make(), RelayCommand.Make(), ProbeCommand.Make(), ListenCommand.Make(program),
            LoadCommand.Make(), SendCommand.Make(), ReceiveCommand.Make(), LogCommand.Make(), HelpCommand.Make(), VersionCommand.Make(),
            CompletionCommand.Make(),
        ];

        // No RootCommand, which the help calls by the assembly's name.
        Command doorbell = new("doorbell", "Serve, ask and join TCP, UDP and unix sockets.")
        {
            VerbHelp.Option(), new VersionOption("--version", "-V"),
        };
        Array.ForEach(verbs, doorbell.Add);

        // A text may begin with @: it is no response file.
        ParseResult parsed = doorbell.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (WrongUsage.Of(parsed, arguments) is { } wrong)
        {
            return Failure.Usage(wrong);
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = StandardOutput.OpenText(),
            });
        }
        catch (NetworkException failure)
        {
            return Failure.Network(failure.Message);
        }
        catch (ConfigurationException failure)
        {
            return Failure.Configuration(failure.Message);
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException or PlatformNotSupportedException)
        {
            // .NET adds the parameter's name, which is none of the command's words.
            return Failure.Usage(failure.Message.Split(" (Parameter '")[0]);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure is StandardStreamException or RecordingException
                ? Failure.Network(failure.Message)
                : Failure.OfSystem(parsed.CommandResult.Command.Name, failure);
        }
        catch (Exception failure)
        {
            return Failure.Network($"{failure.GetType().Name}: {PrintableText.Escape(failure.Message)}");
        }
    }
}
