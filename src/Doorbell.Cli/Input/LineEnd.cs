namespace Doorbell.Cli.Input;

/// <summary>How the lines that a peer is sent end.</summary>
internal enum LineEnd
{
    /// <summary>In an LF, behind the CR that was given, if any.</summary>
    AsGiven,

    /// <summary>In a CR and an LF, whatever was given.</summary>
    CrLf,
}
