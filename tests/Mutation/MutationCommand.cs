using System.CommandLine;
using System.Diagnostics;

namespace Doorbell.Mutation;

/// <summary>The command line of <c>tests/mutate</c>.</summary>
internal sealed class MutationCommand
{
    private const int WrongUsage = 2;

    private readonly Argument<string[]> _rooms = new("ROOM")
    {
        Description = "Folders below src, such as Doorbell.Core/Streams",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _tests = new("--tests")
    {
        Description = "The test projects that are asked, one after the other until one kills the mutant",
        HelpName = "NAME,…",
        DefaultValueFactory = static _ => "Core",
    };

    private readonly Option<string?> _classes = new("--classes")
    {
        Description = "Only these classes of the last of the projects",
        HelpName = "NAME,…",
    };

    private readonly Option<int?> _sample = new("--sample") { Description = "Try only so many, taken at random", HelpName = "N" };

    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Which sample",
        HelpName = "N",
        DefaultValueFactory = static _ => 1,
    };

    private readonly Option<int> _atLeast = new("--at-least")
    {
        Description = "Exit with 1 if a smaller part is killed",
        HelpName = "PERCENT",
        DefaultValueFactory = static _ => 0,
    };

    private readonly Option<TimeSpan> _time = new("--time")
    {
        Description = "Begin no further mutant after this time (hh:mm:ss)",
        HelpName = "TIME",
        DefaultValueFactory = static _ => TimeSpan.FromHours(12),
    };

    private readonly Option<string> _folder = new("--folder")
    {
        Description = "Where the mutated copy goes; what was there is deleted",
        HelpName = "DIR",
        DefaultValueFactory = static _ => Path.Combine(Path.GetTempPath(), "doorbell-mutants"),
    };

    public async Task<int> RunAsync(string[] arguments)
    {
        RootCommand command = new("Puts small mistakes into the sources, one at a time, and counts those that no test notices.")
        {
            _rooms, _tests, _classes, _sample, _seed, _atLeast, _time, _folder,
        };
        command.SetAction(parsed => Run(parsed));
        ParseResult parsed = command.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            Console.Error.WriteLine($"mutate: {parsed.Errors[0].Message}");
            return WrongUsage;
        }

        return await parsed.InvokeAsync();
    }

    private int Run(ParseResult parsed)
    {
        try
        {
            return Mutate(parsed);
        }
        catch (MutationException failure)
        {
            Console.Error.WriteLine($"mutate: {failure.Message}");
            return 1;
        }
    }

    private int Mutate(ParseResult parsed)
    {
        string[] tests = parsed.GetValue(_tests)!.Split(',');
        MutatedTree tree = new(Directory.GetCurrentDirectory(), Path.GetFullPath(parsed.GetValue(_folder)!));
        tree.Build(parsed.GetValue(_rooms)!, parsed.GetValue(_sample), parsed.GetValue(_seed), tests);
        Console.WriteLine($"{tree.Mutants.Count} mutants; {tree.Broken} more do not compile, and {tree.LeftOut} are not of the sample");
        List<Mutant> alive = [.. tree.Mutants];
        int tried = alive.Count;
        Stopwatch watch = Stopwatch.StartNew();
        foreach (string project in tests)
        {
            string[] classes = project == tests[^1] ? parsed.GetValue(_classes)?.Split(',') ?? [] : [];
            (HashSet<int> reached, TimeSpan took) = TestRun.WithoutMutants(tree.Program(project), classes);
            int reaches = alive.Count(mutant => reached.Contains(mutant.Number));
            Console.WriteLine($"{project}.Tests: {took.TotalSeconds:0} s, reaches {reaches} of {alive.Count}");
            int kept = 0;
            while (kept < alive.Count)
            {
                Mutant mutant = alive[kept];
                if (reached.Contains(mutant.Number) && watch.Elapsed >= parsed.GetValue(_time))
                {
                    // Not tried by this project, so nothing is known.
                    alive.RemoveAt(kept);
                    tried--;
                }
                else if (reached.Contains(mutant.Number) && TestRun.Kills(tree.Program(project), classes, mutant, took))
                {
                    alive.RemoveAt(kept);
                }
                else
                {
                    kept++;
                }
            }
        }

        return Report(alive, tried, tree.Mutants.Count - tried, parsed.GetValue(_atLeast));
    }

    private static int Report(List<Mutant> alive, int tried, int left, int atLeast)
    {
        foreach (Mutant mutant in alive)
        {
            Console.WriteLine(mutant);
        }

        foreach (IGrouping<string, Mutant> room in alive.GroupBy(static mutant => Path.GetDirectoryName(mutant.File)!))
        {
            Console.WriteLine($"{room.Key}: {room.Count()} survive");
        }

        int percent = tried == 0 ? 100 : (tried - alive.Count) * 100 / tried;
        string late = left > 0 ? $"; {left} were not tried in time" : "";
        Console.WriteLine($"{tried - alive.Count} of {tried} are killed ({percent} %){late}");
        return percent >= atLeast ? 0 : 1;
    }
}
