namespace Doorbell.Bench;

/// <summary>A server to be measured.</summary>
/// <param name="Name">As <c>--servers</c> calls it.</param>
/// <param name="Role">What it is in the comparison.</param>
/// <param name="Program">The file that must be there, or it was not built.</param>
/// <param name="Command">How it is started to serve something on a free port.</param>
internal sealed record Server(string Name, Role Role, string Program, Func<Service, IReadOnlyList<string>> Command)
{
    /// <summary>It compiles itself while it runs, so it is warmed up longer.</summary>
    public bool CompilesItself { get; init; }

    /// <summary>The engine its first line must name, if it names one: it could have fallen back to another.</summary>
    public string? Engine { get; init; }
}
