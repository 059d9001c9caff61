namespace Doorbell.Cli.Printing;

/// <summary>A recording can't be written; the message is a whole line.</summary>
internal sealed class RecordingException(string message) : IOException(message);
