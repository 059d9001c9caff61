namespace Doorbell.Mutation;

/// <summary>The run can't go on; the message says why.</summary>
/// <param name="message">For people.</param>
internal sealed class MutationException(string message) : Exception(message);
