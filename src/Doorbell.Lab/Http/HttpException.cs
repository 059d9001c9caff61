namespace Doorbell.Lab.Http;

/// <summary>A request that is not carried out.</summary>
/// <param name="status">As in 400.</param>
/// <param name="message">Why, in one line.</param>
internal sealed class HttpException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
