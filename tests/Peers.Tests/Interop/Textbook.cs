namespace Doorbell.Tests;

/// <summary>The textbook programs of tests/peers, ready to run.</summary>
internal static class Textbook
{
    private static readonly Lazy<string> _c = new(CompileC);
    private static readonly Lazy<string> _java = new(CompileJava);

    public static (string File, string[] Arguments) Client(string language, string transport) => Make(language, transport, "client");

    public static (string File, string[] Arguments) Server(string language, string transport) => Make(language, transport, "server");

    /// <summary>A C program that is neither client nor server.</summary>
    public static string InC(string name) => Path.Combine(_c.Value, name);

    /// <summary>Runs a Java program that is neither client nor server of the matrix.</summary>
    public static Ended Java(string name, params string[] arguments) =>
        Program.Run("java", ["-Xshare:auto", "-cp", _java.Value, name, .. arguments]);

    private static (string File, string[] Arguments) Make(string language, string transport, string role)
    {
        string name = $"{transport}_{role}";
        return language switch
        {
            "c" => (Path.Combine(_c.Value, name), []),
            "java" => ("java", ["-Xshare:auto", "-cp", _java.Value,
                $"{transport.ToUpperInvariant()}{(role == "client" ? "Client" : "Server")}"]),
            "python" => ("python3", [Path.Combine(Repository.Peers, language, name + ".py")]),
            "perl" => ("perl", [Path.Combine(Repository.Peers, language, name + ".pl")]),
            _ => ("node", [Path.Combine(Repository.Peers, language, name + ".js")]),
        };
    }

    private static string CompileC()
    {
        string folder = Directory.CreateTempSubdirectory("doorbell-peers-").FullName;
        foreach (string source in Directory.GetFiles(Path.Combine(Repository.Peers, "c"), "*.c"))
        {
            string target = Path.Combine(folder, Path.GetFileNameWithoutExtension(source));
            Ended compiled = Program.Run("gcc", ["-Wall", "-Wextra", "-Werror", "-O2", "-o", target, source]);
            Assert.True(compiled.ExitCode == 0, compiled.Error);
        }

        return folder;
    }

    private static string CompileJava()
    {
        string folder = Directory.CreateTempSubdirectory("doorbell-peers-").FullName;
        string[] sources = Directory.GetFiles(Path.Combine(Repository.Peers, "java"), "*.java");
        Ended compiled = Program.Run("javac", ["-d", folder, .. sources]);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        return folder;
    }
}
