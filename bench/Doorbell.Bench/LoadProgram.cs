namespace Doorbell.Bench;

/// <summary>What asks the servers.</summary>
/// <param name="File">The load in C.</param>
/// <param name="Doorbell">A <c>doorbell</c> whose load takes its place where it can; null for none.</param>
internal sealed record LoadProgram(string File, string? Doorbell);
