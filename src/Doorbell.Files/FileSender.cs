using System.Security.Cryptography;
using Doorbell.Native;

namespace Doorbell.Files;

/// <summary>Sends files to a <see cref="FileReceiver"/>.</summary>
public static class FileSender
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Sends files over a connection, one after the other. What the receiver has already is not sent again.</summary>
    /// <param name="connection">To the receiver; it stays open.</param>
    /// <param name="paths">The files, as <see cref="SystemText"/> has their names. They are received without their folders.</param>
    /// <param name="progress">Told often, and when a file is whole there; null for nobody.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TransferException">
    /// The connection was cut, the receiver refuses, a file can't be read, or it became shorter.
    /// </exception>
    public static async Task SendAsync(
        Stream connection, IReadOnlyList<string> paths, Action<FileProgress>? progress, CancellationToken cancellation)
    {
        TransferLines peer = new(connection);
        await peer.WriteAsync(TransferLines.Greeting, cancellation).ConfigureAwait(false);
        foreach (string path in paths)
        {
            FileStream file = await OpenAsync(peer, path, cancellation).ConfigureAwait(false);
            await using (file.ConfigureAwait(false))
            {
                await SendAsync(peer, file, Path.GetFileName(path), progress, cancellation).ConfigureAwait(false);
            }
        }

        await peer.WriteAsync(TransferLines.End, cancellation).ConfigureAwait(false);
        await peer.ReadAsync(TransferLines.End, words: 0, cancellation).ConfigureAwait(false);
    }

    /// <summary>The file; if it can't be opened any more, the receiver is told so too.</summary>
    private static async Task<FileStream> OpenAsync(TransferLines peer, string path, CancellationToken cancellation)
    {
        try
        {
            return new FileStream(SystemFile.OpenRead(path), FileAccess.Read, bufferSize: 0);
        }
        catch (Exception failure) when (FileFailure.Is(failure))
        {
            string why = $"read {PrintableText.Escape(path)}: {FileFailure.Why(failure)}";
            throw await peer.RefuseAsync(why, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(
        TransferLines peer, FileStream file, string name, Action<FileProgress>? progress, CancellationToken cancellation)
    {
        long size = file.Length;
        await peer.WriteAsync($"file {size} {TransferLines.Escape(name)}", cancellation).ConfigureAwait(false);
        string answer = await peer.ReadAsync(cancellation).ConfigureAwait(false);
        if (answer.Split(' ') is not [TransferLines.Have or TransferLines.Only, var bytes, var there]
            || TransferLines.Number(bytes) is not { } offset || offset > size)
        {
            throw TransferLines.Misunderstood(answer);
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[BufferBytes];
        for (long left = offset; left > 0;)
        {
            int count = await ReadAsync(file, name, buffer, left, cancellation).ConfigureAwait(false);
            hash.AppendData(buffer, 0, count);
            left -= count;
        }

        if (offset > 0 && Convert.ToHexStringLower(hash.GetCurrentHash()) != there)
        {
            if (answer.StartsWith(TransferLines.Only, StringComparison.Ordinal))
            {
                throw await peer.RefuseAsync(TransferLines.Exists(name), cancellation).ConfigureAwait(false);
            }

            // The receiver has the beginning of something else.
            offset = 0;
            file.Position = 0;
            hash.GetHashAndReset();
        }

        await peer.WriteAsync($"from {offset}", cancellation).ConfigureAwait(false);
        for (long done = offset; done < size;)
        {
            int count = await ReadAsync(file, name, buffer, size - done, cancellation).ConfigureAwait(false);
            hash.AppendData(buffer, 0, count);
            await peer.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            done += count;
            progress?.Invoke(new FileProgress(name, done, size, offset, Sha256: null));
        }

        string sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        await peer.WriteAsync($"sha256 {sha256}", cancellation).ConfigureAwait(false);
        await peer.ReadAsync(TransferLines.Ok, words: 0, cancellation).ConfigureAwait(false);
        progress?.Invoke(new FileProgress(name, size, size, offset, sha256));
    }

    private static async Task<int> ReadAsync(
        FileStream file, string name, byte[] buffer, long most, CancellationToken cancellation)
    {
        try
        {
            int count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most)), cancellation).ConfigureAwait(false);
            return count > 0
                ? count
                : throw new TransferException($"{PrintableText.Escape(name)} became shorter while it was sent", isCut: false);
        }
        catch (IOException failure) when (failure is not TransferException)
        {
            throw new TransferException($"read {PrintableText.Escape(name)}: {FileFailure.Why(failure)}", isCut: false);
        }
    }
}
