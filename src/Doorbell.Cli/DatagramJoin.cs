using System.Net.Sockets;

namespace Doorbell.Cli;

/// <summary>
/// Standard input and output joined to a datagram socket: what one read of standard input gives is a datagram. After the end of
/// input it waits a moment for answers, since a datagram socket has no end of its own.
/// </summary>
internal static class DatagramJoin
{
    private const int MaxDatagramBytes = 65_507;

    public static async Task<int> RunAsync(Endpoint endpoint, StandardOutput output, TimeSpan wait, TimeSpan timeout)
    {
        using Socket socket = await Connector.ConnectDatagramsAsync(endpoint, timeout, CancellationToken.None);
        using CancellationTokenSource over = new();
        Task<NetworkException?> receiving = ReceiveAsync(endpoint, socket, output, over.Token);
        TaskCompletionSource<NetworkException?> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => sent.SetResult(Send(endpoint, socket))) { IsBackground = true, Name = "standard input" }.Start();
        if (await Task.WhenAny(sent.Task, receiving) == sent.Task && sent.Task.Result is null)
        {
            over.CancelAfter(wait);
        }
        else if (sent.Task.IsCompleted)
        {
            await over.CancelAsync();
        }

        NetworkException? failure = await receiving ?? (sent.Task.IsCompleted ? await sent.Task : null);
        return failure is null ? 0 : Failure.Network(failure.Message);
    }

    private static NetworkException? Send(Endpoint endpoint, Socket socket)
    {
        try
        {
            using Stream input = Console.OpenStandardInput();
            byte[] buffer = new byte[MaxDatagramBytes];
            int count;
            while ((count = input.Read(buffer)) > 0)
            {
                socket.Send(buffer.AsSpan(0, count));
            }

            return null;
        }
        catch (SocketException failure)
        {
            return NetworkException.From("send", endpoint.ToString(), failure);
        }
        catch (Exception failure) when (failure is ObjectDisposedException or IOException)
        {
            return null;
        }
    }

    /// <summary>Writes answers until <paramref name="over"/>.</summary>
    private static async Task<NetworkException?> ReceiveAsync(
        Endpoint endpoint, Socket socket, StandardOutput output, CancellationToken over)
    {
        byte[] buffer = new byte[MaxDatagramBytes + 1];
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(buffer, SocketFlags.None, over);
                output.Write(buffer.AsSpan(0, count));
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SocketException failure)
        {
            return NetworkException.From("receive", endpoint.ToString(), failure);
        }
        catch (IOException failure)
        {
            return NetworkException.From("write", "standard output", failure);
        }
    }
}
