using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>What a handler is told of an exception that ended resolving or connecting.</summary>
internal static class ConnectFailures
{
    public static ConnectFailure Of(ConnectRequest request, Exception failure)
    {
        if (failure is OperationCanceledException)
        {
            return ConnectFailure.Cancelled(request.Endpoint);
        }

        NetworkException why = failure as NetworkException ?? NetworkException.From("connect", request.Endpoint.ToString(), failure);
        return new ConnectFailure(why.ErrnoName ?? Errno.Of(why.Error)?.Name ?? "EIO", why.Message);
    }
}
