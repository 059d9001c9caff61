using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>The help of a verb: what the parser knows of it, and the verb's examples.</summary>
internal sealed class VerbHelp : SynchronousCommandLineAction
{
    /// <summary>The parser's help never ends where the terminal is narrower than the help's left margin.</summary>
    private const int LeastWidth = 40;

    private readonly HelpAction _parsers;

    private VerbHelp(HelpAction parsers)
    {
        _parsers = parsers;
        _parsers.MaxWidth = Math.Max(Terminal.Width ?? int.MaxValue, LeastWidth);
    }

    /// <summary>The option <c>--help</c>. What begins with a slash is a text or a path, on every platform.</summary>
    public static HelpOption Option()
    {
        HelpOption option = new();
        option.Aliases.Remove("/h");
        option.Aliases.Remove("/?");
        option.Action = new VerbHelp((HelpAction)option.Action!);
        return option;
    }

    /// <summary>Who asks for help need not give what the verb needs.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parsed)
    {
        int code = _parsers.Invoke(parsed);
        Example[] examples = [.. ExamplesOf(parsed.CommandResult)];
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (examples.Length > 0)
        {
            output.WriteLine("Examples:");
        }

        foreach (Example example in examples)
        {
            output.WriteLine($"  {example.Line}");
            output.WriteLine($"      {example.Meaning}");
        }

        return code;
    }

    /// <summary>Those of the verb. A verb within a verb, such as <c>demo nagle</c>, has those that begin with it.</summary>
    private static IEnumerable<Example> ExamplesOf(CommandResult called)
    {
        string words = "";
        for (SymbolResult? at = called; at is CommandResult result; at = at.Parent)
        {
            words = $"{result.Command.Name} {words}";
            if (result.Command is Verb verb)
            {
                string whole = $"{verb.Name} {words[(verb.Name.Length + 1)..]}";
                return verb.Examples.Where(example => $"{example.Line} ".Contains($"doorbell {whole}", StringComparison.Ordinal));
            }
        }

        return [];
    }
}
