using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;
using Doorbell.Files;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary>The bytes of a file and nothing else, as nc carries them: nothing tells a whole file from a cut one.</summary>
internal static class PlainTransfer
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Sends a file, half-closes, and waits for the peer's end, so that nothing is lost on the way.</summary>
    public static async Task SendAsync(Socket socket, Stream connection, string path, TransferProgress progress)
    {
        string name = Path.GetFileName(path);
        using FileStream file = new(SystemFile.OpenRead(path), FileAccess.Read, bufferSize: 0);
        byte[] buffer = new byte[BufferBytes];
        try
        {
            long done = 0;
            for (int count; (count = await ReadAsync(file, name, buffer)) > 0;)
            {
                await connection.WriteAsync(buffer.AsMemory(0, count));
                done += count;
                progress.Tell(new FileProgress(name, done, file.CanSeek ? Math.Max(file.Length, done) : done, From: 0, Sha256: null));
            }

            socket.Shutdown(SocketShutdown.Send);
            while (await connection.ReadAsync(buffer) > 0)
            {
                // What the peer says is not asked for.
            }
        }
        catch (IOException failure) when (failure is not TransferException)
        {
            throw new TransferException($"the connection was cut: {FileFailure.Why(failure.InnerException ?? failure)}", isCut: true);
        }

        progress.End();
    }

    private static async Task<int> ReadAsync(FileStream file, string name, byte[] buffer)
    {
        try
        {
            return await file.ReadAsync(buffer);
        }
        catch (IOException failure)
        {
            throw new TransferException($"read {PrintableText.Escape(name)}: {FileFailure.Why(failure)}", isCut: false);
        }
    }

    /// <summary>Writes all that comes to standard output.</summary>
    /// <exception cref="StandardStreamException">It can't be written.</exception>
    public static async Task ReceiveAsync(Stream connection, StandardOutput output)
    {
        byte[] buffer = new byte[BufferBytes];
        for (int count; (count = await connection.ReadAsync(buffer)) > 0;)
        {
            output.Write(buffer.AsSpan(0, count));
        }
    }
}
