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
