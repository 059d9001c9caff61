using System.Net.Sockets;
using Doorbell.Sessions;

namespace Doorbell.Clients;

/// <summary>Speaks with the proxies that a <see cref="TunnelOpening"/> asks, over a socket that is connected to the first.</summary>
internal static class TunnelDialer
{
    private const int PeekBytes = 4 * 1024;

    /// <summary>Returns when the socket is connected to the target.</summary>
    /// <param name="socket">Connected to the first proxy.</param>
    /// <param name="opening">Not begun yet.</param>
    /// <param name="target">For errors.</param>
    /// <param name="timeout">What was allowed for all, for errors.</param>
    /// <param name="left">What is left of it.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">A proxy refuses, is silent, or ends.</exception>
    public static async Task OpenAsync(
        Socket socket, TunnelOpening opening, Endpoint target, TimeSpan timeout, TimeSpan left, CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(left > TimeSpan.Zero || left == Timeout.InfiniteTimeSpan ? left : TimeSpan.Zero);
        byte[] came = new byte[PeekBytes];
        try
        {
            while (!opening.IsOpen)
            {
                while (!opening.Outgoing.IsEmpty)
                {
                    opening.Sent(await socket.SendAsync(opening.Outgoing, deadline.Token).ConfigureAwait(false));
                }

                // Looked at and left in the kernel, since the server's first bytes may stand behind the proxy's last.
                int count = await socket.ReceiveAsync(came, SocketFlags.Peek, deadline.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    throw Failure(target, $"the proxy {opening.Proxy} ended the connection without an answer", SocketError.ConnectionReset);
                }

                int consumed = opening.Received(came.AsSpan(0, count));
                for (int taken = 0; taken < consumed;)
                {
                    taken += await socket.ReceiveAsync(came.AsMemory(taken, consumed - taken), deadline.Token).ConfigureAwait(false);
                }

                if (opening.Failure is { } why)
                {
                    throw Failure(target, why, ErrorOf(opening.Error), opening.Advice);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failure(
                target, $"the proxy {opening.Proxy} gave no answer within {timeout.TotalSeconds:0.###} s", SocketError.TimedOut,
                "look whether it is a proxy of that kind, or allow a longer timeout");
        }
        catch (SocketException failure)
        {
            string why = $"the proxy {opening.Proxy} failed: {NetworkException.Answer(failure)}";
            throw Failure(target, why, failure.SocketErrorCode, cause: failure);
        }
    }

    private static NetworkException Failure(
        Endpoint target, string what, SocketError error, string? advice = null, Exception? cause = null) =>
        new("connect", target.ToString(), what, error, advice, cause);

    private static SocketError ErrorOf(string? name) => name switch
    {
        "EACCES" => SocketError.AccessDenied,
        "ENETUNREACH" => SocketError.NetworkUnreachable,
        "EHOSTUNREACH" => SocketError.HostUnreachable,
        "ECONNREFUSED" => SocketError.ConnectionRefused,
        "ETIMEDOUT" => SocketError.TimedOut,
        "EOPNOTSUPP" => SocketError.OperationNotSupported,
        "EAFNOSUPPORT" => SocketError.AddressFamilyNotSupported,
        _ => SocketError.SocketError,
    };
}
