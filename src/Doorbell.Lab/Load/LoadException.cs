namespace Doorbell.Lab.Load;

/// <summary>A load test could not begin: the message says why.</summary>
public sealed class LoadException : Exception
{
    /// <param name="message">One line.</param>
    public LoadException(string message)
        : base(message)
    {
    }
}
