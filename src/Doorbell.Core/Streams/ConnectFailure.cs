namespace Doorbell;

/// <summary>Why a connection could not be made.</summary>
/// <param name="Error">
/// The error's name, as errno(3) or getaddrinfo(3) has it: <c>ECONNREFUSED</c>, <c>ETIMEDOUT</c>, <c>EAI_NONAME</c>.
/// </param>
/// <param name="Message">One line for a log: what was tried, where, what the system answered, what to do.</param>
public sealed record ConnectFailure(string Error, string Message)
{
    /// <summary>The handler's own <see cref="OutgoingConnection.Cancel"/>.</summary>
    /// <param name="endpoint">Where it was to connect to.</param>
    public static ConnectFailure Cancelled(Endpoint endpoint) =>
        new("ECANCELED", $"connect {endpoint}: given up before it was connected (ECANCELED)");
}
