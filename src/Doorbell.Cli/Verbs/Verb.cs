using System.CommandLine;

namespace Doorbell.Cli.Verbs;

/// <summary>A verb of the command: what the parser knows of it, and examples, with which its help ends.</summary>
/// <param name="name">The word.</param>
/// <param name="description">What it does.</param>
/// <param name="examples">The first is what most people want.</param>
internal sealed class Verb(string name, string description, IReadOnlyList<Example> examples) : Command(name, description)
{
    /// <summary>What its help ends with.</summary>
    public IReadOnlyList<Example> Examples { get; } = examples;
}
