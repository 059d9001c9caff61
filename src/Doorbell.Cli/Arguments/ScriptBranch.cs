namespace Doorbell.Cli.Arguments;

/// <summary>When a script branches.</summary>
internal enum ScriptEvent
{
    /// <summary>The pattern has come.</summary>
    Found,

    /// <summary>Nothing of what is waited for has come in time.</summary>
    TimedOut,

    /// <summary>The peer has ended its side.</summary>
    PeerEnded,
}

/// <summary>What a script does when something happens.</summary>
/// <param name="Event">When.</param>
/// <param name="Pattern">What is found; null for the other events.</param>
/// <param name="Then">What is done; null to go on with the next statement.</param>
internal sealed record ScriptBranch(ScriptEvent Event, ScriptPattern? Pattern, ScriptStatement? Then);
