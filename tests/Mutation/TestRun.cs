using System.Diagnostics;

namespace Doorbell.Mutation;

/// <summary>One run of a test program, with one mutant on or with none.</summary>
internal static class TestRun
{
    /// <summary>A mutant may make a loop endless: beyond so many times the time of the run without mutants, a test has failed.</summary>
    private const int TimesAsLong = 4;

    private static readonly TimeSpan _least = TimeSpan.FromSeconds(30);

    /// <summary>Runs all tests without a mutant.</summary>
    /// <returns>Which mutants were reached, and how long it took.</returns>
    /// <exception cref="MutationException">A test fails though nothing is mutated.</exception>
    public static (HashSet<int> Reached, TimeSpan Took) WithoutMutants(string program, IReadOnlyList<string> classes)
    {
        string reached = Path.GetTempFileName();
        try
        {
            Stopwatch watch = Stopwatch.StartNew();
            // Twice: to be timed, and to learn what is reached, which costs time of its own.
            if (!Passes(program, classes, Timeout.InfiniteTimeSpan))
            {
                throw new MutationException($"{Path.GetFileNameWithoutExtension(program)} fails without any mutant");
            }

            TimeSpan took = watch.Elapsed;
            Passes(program, classes, Timeout.InfiniteTimeSpan, (MutantSwitch.ReachedVariable, reached));
            return ([.. File.ReadAllLines(reached).Select(static line => int.Parse(line, null))], took);
        }
        finally
        {
            File.Delete(reached);
        }
    }

    /// <summary>Whether a test fails because of a mutant.</summary>
    public static bool Kills(string program, IReadOnlyList<string> classes, Mutant mutant, TimeSpan usually)
    {
        TimeSpan bound = usually * TimesAsLong;
        return !Passes(
            program, classes, bound < _least ? _least : bound, (MutantSwitch.Variable, mutant.Number.ToString((IFormatProvider?)null)));
    }

    private static bool Passes(
        string program, IReadOnlyList<string> classes, TimeSpan bound, (string Name, string Value)? variable = null)
    {
        IEnumerable<string> chosen = classes.SelectMany(static name => new[] { "-class", name });
        ProcessStartInfo start = new("dotnet", [program, "-noColor", "-stopOnFail", .. chosen])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        if (variable is var (name, value))
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (process.WaitForExit(bound == Timeout.InfiniteTimeSpan ? -1 : (int)bound.TotalMilliseconds))
        {
            return process.ExitCode == 0;
        }

        process.Kill(entireProcessTree: true);
        return false;
    }
}
