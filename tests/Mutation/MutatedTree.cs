using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Doorbell.Mutation;

/// <summary>A copy of the repository whose sources hold all mutants, built once.</summary>
/// <param name="repository">Where the sources are.</param>
/// <param name="folder">Where the copy goes. What was there is deleted.</param>
internal sealed partial class MutatedTree(string repository, string folder)
{
    /// <summary>A mutant that does not compile is left out, and those behind it may then show their own errors.</summary>
    private const int MaxBuilds = 12;

    private readonly HashSet<int> _dropped = [];

    /// <summary>What is in the build.</summary>
    public IReadOnlyList<Mutant> Mutants { get; private set; } = [];

    /// <summary>How many are not of the sample.</summary>
    public int LeftOut { get; private set; }

    /// <summary>How many did not compile.</summary>
    public int Broken => _dropped.Count - LeftOut;

    /// <summary>Copies, mutates and builds.</summary>
    /// <param name="rooms">Folders below src whose sources are mutated.</param>
    /// <param name="sample">So many of the mutants are put in, taken at random; null for all.</param>
    /// <param name="seed">Which sample.</param>
    /// <param name="tests">The test projects to build, such as <c>Core</c>.</param>
    /// <exception cref="MutationException">The build fails for another reason than a mutant.</exception>
    public void Build(IReadOnlyList<string> rooms, int? sample, int seed, IReadOnlyList<string> tests)
    {
        Copy();
        string[] files = [.. rooms.SelectMany(SourcesOf).Distinct().Order(StringComparer.Ordinal)];
        int[] all = [.. Enumerable.Range(0, Write(files))];
        if (sample < all.Length)
        {
            new Random(seed).Shuffle(all);
            _dropped.UnionWith(all.Skip(sample.Value));
        }

        LeftOut = _dropped.Count;
        for (int i = 0; i < MaxBuilds; i++)
        {
            Write(files);
            string[] errors = [.. tests.SelectMany(BuildTests).Distinct()];
            if (errors.Length == 0)
            {
                return;
            }

            int before = _dropped.Count;
            foreach (string error in errors)
            {
                Drop(error);
            }

            if (_dropped.Count == before)
            {
                throw new MutationException($"the mutated sources do not build: {errors[0]}");
            }
        }

        throw new MutationException($"after {MaxBuilds} builds there are still mutants that do not compile");
    }

    /// <summary>The test program of a project.</summary>
    public string Program(string tests) => Path.Combine(folder, "artifacts", "bin", $"{tests}.Tests", "release", $"{tests}.Tests.dll");

    private void Copy()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (string file in Tracked())
        {
            string copy = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(repository, file), copy);
        }
    }

    private string[] Tracked() =>
        Run("git", repository, "ls-files", "-z").Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Where(file => File.Exists(Path.Combine(repository, file))).ToArray();

    private IEnumerable<string> SourcesOf(string room)
    {
        string rooms = Path.Combine(folder, "src", room);
        return !Directory.Exists(rooms) ? throw new MutationException($"there is no folder src/{room}")
            : Directory.EnumerateFiles(rooms, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file));
    }

    /// <summary>Writes the sources, with the mutants that are not dropped.</summary>
    /// <returns>How many mutants there are, with those that are dropped.</returns>
    private int Write(IReadOnlyList<string> files)
    {
        List<Mutant> mutants = [];
        int first = 0;
        HashSet<string> projects = [];
        foreach (string file in files)
        {
            string source = File.ReadAllText(Path.Combine(repository, file));
            MutantWriter writer = new(file, first, number => !_dropped.Contains(number));
            SyntaxNode changed = writer.Visit(CSharpSyntaxTree.ParseText(source).GetRoot());
            File.WriteAllText(Path.Combine(folder, file), changed.ToFullString());
            mutants.AddRange(writer.Mutants);
            first += writer.Numbers;
            projects.Add(ProjectOf(Path.Combine(folder, file)));
        }

        foreach (string project in projects)
        {
            File.WriteAllText(Path.Combine(project, "Mutants.cs"), MutantSwitch.Source);
        }

        Mutants = mutants;
        return first;
    }

    private static string ProjectOf(string file)
    {
        string at = Path.GetDirectoryName(file)!;
        while (Directory.GetFiles(at, "*.csproj").Length == 0)
        {
            at = Path.GetDirectoryName(at)!;
        }

        return at;
    }

    /// <summary>The errors of the compiler.</summary>
    private IEnumerable<string> BuildTests(string tests)
    {
        string output = Run(
            "dotnet", folder, "build", $"tests/{tests}.Tests", "-c", "Release", "-nologo", "-v", "quiet", "-p:TreatWarningsAsErrors=false",
            "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:NoWarn=CS1591");
        return output.Split('\n').Select(static line => line.Trim())
            .Where(static line => line.Contains(": error ", StringComparison.Ordinal));
    }

    /// <summary>Drops the mutants at the place of an error: those of its line, or of the nearest line that has some.</summary>
    private void Drop(string error)
    {
        Match match = Place().Match(error);
        if (!match.Success)
        {
            throw new MutationException($"the mutated sources do not build: {error}");
        }

        string[] lines = File.ReadAllLines(match.Groups["file"].Value);
        int place = int.Parse(match.Groups["line"].Value, null) - 1;
        foreach (int at in Enumerable.Range(0, lines.Length).OrderBy(at => Math.Abs(at - place)))
        {
            int before = _dropped.Count;
            foreach (Match number in Number().Matches(lines[at]))
            {
                _dropped.Add(int.Parse(number.Groups[1].Value, null));
            }

            if (_dropped.Count > before)
            {
                return;
            }
        }
    }

    private static string Run(string program, string at, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = at,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    [GeneratedRegex(@"^(?<file>[^(]+\.cs)\((?<line>\d+),\d+\): error ")]
    private static partial Regex Place();

    [GeneratedRegex(@"Mutants\.Are\((\d+)\)")]
    private static partial Regex Number();
}
