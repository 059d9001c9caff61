namespace Doorbell.Files;

/// <summary>Files were not all carried.</summary>
public sealed class TransferException : IOException
{
    /// <summary>A transfer that failed.</summary>
    /// <param name="message">Why, in one line.</param>
    /// <param name="isCut">Whether the connection was cut.</param>
    public TransferException(string message, bool isCut)
        : base(message) => IsCut = isCut;

    /// <summary>Whether the connection was cut: the same again goes on where this one was.</summary>
    public bool IsCut { get; }
}
