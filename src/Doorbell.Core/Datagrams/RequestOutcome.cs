using System.Diagnostics.CodeAnalysis;

namespace Doorbell;

/// <summary>How a request ended: with a response, or with the reason why there is none.</summary>
/// <typeparam name="TResponse">What is answered.</typeparam>
public readonly record struct RequestOutcome<TResponse>
{
    /// <summary>A response.</summary>
    /// <param name="response">What was answered.</param>
    public RequestOutcome(TResponse response) => Response = response;

    /// <summary>No response.</summary>
    /// <param name="failure">Why.</param>
    public RequestOutcome(RequestFailure failure) => Failure = failure;

    /// <summary>What was answered, if <see cref="Failure"/> is null.</summary>
    public TResponse? Response { get; }

    /// <summary>Why there is no response; null if there is one.</summary>
    public RequestFailure? Failure { get; }

    /// <summary>Whether there is a response.</summary>
    /// <param name="response">The response, if there is one.</param>
    /// <param name="failure">Otherwise why there is none.</param>
    public bool TryGet([MaybeNullWhen(false)] out TResponse response, [NotNullWhen(false)] out RequestFailure? failure)
    {
        (response, failure) = (Response, Failure);
        return failure is null;
    }
}

/// <summary>Why a request has no response, in words that fit behind the endpoint's name in an error of one line.</summary>
/// <param name="What">What happened, as in <c>no answer to 5 datagrams in 60 s</c>.</param>
/// <param name="Advice">What to do about it; null where there is nothing to say.</param>
/// <param name="IsTimeout">Whether the time for the response ran out.</param>
public sealed record RequestFailure(string What, string? Advice, bool IsTimeout)
{
    /// <summary>The peer's host says that nobody listens there, or the system refused to send.</summary>
    public static RequestFailure Unreachable { get; } = new("the peer can't be reached", Advice: null, IsTimeout: false);

    /// <summary>The socket was closed first.</summary>
    public static RequestFailure Closed { get; } = new("the socket was closed before the answer", Advice: null, IsTimeout: false);
}
