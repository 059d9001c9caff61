namespace Doorbell.Cli.Verbs;

/// <summary>A use of a verb, as it is typed.</summary>
/// <param name="Line">The line for a shell. A test runs it beside <c>doorbell serve</c> and a CoAP server, and it has to succeed.</param>
/// <param name="Meaning">What it does, in one short sentence without a full stop.</param>
internal sealed record Example(string Line, string Meaning);
