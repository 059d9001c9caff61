namespace Doorbell.Cli.Arguments;

/// <summary>A statement of a script.</summary>
/// <param name="Line">Where it stands in the file.</param>
internal abstract record ScriptStatement(int Line)
{
    /// <summary>Sends a text.</summary>
    internal sealed record Send(int Line, byte[] Text) : ScriptStatement(Line);

    /// <summary>Waits until one of its branches can be taken: an <c>expect</c>, or several <c>on</c> behind each other.</summary>
    internal sealed record Await(int Line, List<Branch> Branches) : ScriptStatement(Line);

    /// <summary>What is done when something happens.</summary>
    /// <param name="Event">When.</param>
    /// <param name="Pattern">What is found; null for the other events.</param>
    /// <param name="Then">What is done; null to go on with the next statement.</param>
    internal sealed record Branch(ScriptEvent Event, ScriptPattern? Pattern, ScriptStatement? Then);

    /// <summary>From now on a wait takes at most so long.</summary>
    internal sealed record Timeout(int Line, TimeSpan Time) : ScriptStatement(Line);

    /// <summary>Goes on at a label.</summary>
    internal sealed record GoTo(int Line, string Label) : ScriptStatement(Line);

    /// <summary>Ends with an error.</summary>
    internal sealed record Fail(int Line, string Text) : ScriptStatement(Line);

    /// <summary>Ends our side of the connection.</summary>
    internal sealed record HalfClose(int Line) : ScriptStatement(Line);

    /// <summary>Ends the connection, and the script well.</summary>
    internal sealed record Close(int Line) : ScriptStatement(Line);
}
