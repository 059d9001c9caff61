using System.Net;
using System.Net.Sockets;
using Doorbell.Bench.Peers;

namespace Doorbell.Bench.Sockets;

/// <summary>TCP: a task for each connection over awaitable sockets.</summary>
internal static class AsyncSockets
{
    private const int Backlog = 4096;

    public static async Task ServeAsync(int port)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(Backlog);
        Console.WriteLine($"listening {((IPEndPoint)listener.LocalEndPoint!).Port}");
        while (true)
        {
            _ = ServeAsync(await listener.AcceptAsync());
        }
    }

    private static async Task ServeAsync(Socket connection)
    {
        using Socket owned = connection;
        try
        {
            connection.NoDelay = true;
            byte[] buffer = new byte[4096];
            int filled = 0;
            while (await connection.ReceiveAsync(buffer.AsMemory(filled)) is > 0 and int count)
            {
                // What came before holds no end of a line.
                int whole = Capitals.WholeLines(buffer.AsSpan(filled, count));
                whole += whole > 0 ? filled : 0;
                filled += count;
                if (whole > 0)
                {
                    await AnswerAsync(connection, buffer.AsMemory(0, whole));
                    buffer.AsSpan(whole, filled - whole).CopyTo(buffer);
                    filled -= whole;
                }

                if (filled > Capitals.MostUnfinished)
                {
                    return;
                }

                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, 2 * filled);
                }
            }

            await AnswerAsync(connection, buffer.AsMemory(0, filled));
        }
        catch (SocketException)
        {
            // A connection that breaks is its peer's business.
        }
    }

    private static async ValueTask AnswerAsync(Socket connection, Memory<byte> text)
    {
        Capitals.Make(text.Span);
        while (!text.IsEmpty)
        {
            text = text[await connection.SendAsync(text)..];
        }
    }
}
