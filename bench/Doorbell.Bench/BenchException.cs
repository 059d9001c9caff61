namespace Doorbell.Bench;

/// <summary>Something does not work; the message is one plain line for people.</summary>
internal sealed class BenchException(string message) : Exception(message);
