using System.CommandLine;
using System.CommandLine.Help;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Verbs;
using Doorbell.Native;

namespace Doorbell.Cli;

/// <summary>The <c>doorbell</c> command: one file a verb.</summary>
internal static class Program
{
    /// <summary>The parser's help never ends where the terminal is narrower than the help's left margin.</summary>
    private const int LeastHelpWidth = 40;

    public static async Task<int> Main(string[] arguments)
    {
        if (OperatingSystem.IsLinux())
        {
            StandardDescriptors.TakeClosed();
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
        HelpOption help = new();

        // No RootCommand, which the help calls by the assembly's name.
        Command doorbell = new("doorbell", "Serve, ask and join TCP, UDP and unix sockets.")
        {
            ServeCommand.Make(program), AskCommand.Make(), ConnectCommand.Make(program), OptionsCommand.Make(), DemoCommand.Make(),
            BenchCommand.Make(), ImpairCommand.Make(), RelayCommand.Make(), ProbeCommand.Make(), ListenCommand.Make(program),
            help, new VersionOption(),
        };

        // What begins with a slash is a text or a path, on every platform.
        help.Aliases.Remove("/h");
        help.Aliases.Remove("/?");
        HelpAction shown = (HelpAction)help.Action!;
        shown.MaxWidth = Math.Max(Terminal.Width ?? int.MaxValue, LeastHelpWidth);

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
            return Failure.Network(StandardOutput.Wording("write standard output", failure));
        }
        catch (Exception failure)
        {
            return Failure.Network($"{failure.GetType().Name}: {PrintableText.Escape(failure.Message)}");
        }
    }
}
