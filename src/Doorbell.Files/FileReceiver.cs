using System.Security.Cryptography;
using Doorbell.Native;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Files;

/// <summary>
/// Receives files from a <see cref="FileSender"/> into one folder, never outside of it. A file gets its name when it is whole and its
/// checksum fits; before, it is <c>.NAME.doorbell-part</c>, which a later transfer goes on with.
/// </summary>
/// <param name="folder">Where to. It is there.</param>
/// <param name="overwrites">Whether a file of the same name is replaced; otherwise it is refused, unless it is the very same.</param>
public sealed class FileReceiver(string folder, bool overwrites)
{
    /// <summary>Other programs have parts too: this end is no other's, so that a file of the user's is never taken for a part.</summary>
    private const string PartEnd = ".doorbell-part";

    /// <summary>Of the name, with what is added while it is not whole; Linux has no longer ones.</summary>
    private static readonly int _maxNameBytes = 255 - PartOf("").Length;
    private const int BufferBytes = 64 * 1024;

    /// <summary>Receives what a sender sends over a connection.</summary>
    /// <param name="connection">To the sender; it stays open.</param>
    /// <param name="progress">Told often, and when a file is whole; null for nobody.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TransferException">
    /// The connection was cut, the sender speaks something else, or a file is refused; the sender is told why, too.
    /// </exception>
    public async Task ReceiveAsync(Stream connection, Action<FileProgress>? progress, CancellationToken cancellation)
    {
        TransferLines peer = new(connection);
        string greeting = await peer.ReadAsync(cancellation).ConfigureAwait(false);
        if (greeting != TransferLines.Greeting)
        {
            throw TransferLines.Misunderstood(greeting);
        }

        for (string line; (line = await peer.ReadAsync(cancellation).ConfigureAwait(false)) != TransferLines.End;)
        {
            if (line.Split(' ') is not ["file", var bytes, var escaped] || TransferLines.Number(bytes) is not { } size
                || TransferLines.Unescape(escaped) is not { } name)
            {
                throw TransferLines.Misunderstood(line);
            }

            try
            {
                await ReceiveAsync(peer, name, size, progress, cancellation).ConfigureAwait(false);
            }
            catch (Exception failure) when (FileFailure.Is(failure) && failure is not TransferException)
            {
                string why = FileFailure.IsInUse(failure) ? "another sender is sending it: try again later" : FileFailure.Why(failure);
                throw await peer.RefuseAsync($"{Shown(name)}: {why}", cancellation).ConfigureAwait(false);
            }
        }

        await peer.WriteAsync(TransferLines.End, cancellation).ConfigureAwait(false);
    }

    private static string Shown(string name) => PrintableText.Escape(name);

    /// <summary>What is there of a file is kept here until it is whole. So no file may be called so itself.</summary>
    private static string PartOf(string name) => $".{name}{PartEnd}";

    /// <summary>Whether a name is that of a file in a folder, on every system, no way out of the folder, and none of a part.</summary>
    private static bool IsName(string name) => name is not ("" or "." or "..")
        && SystemText.ToBytes(name).Length <= _maxNameBytes
        && name.IndexOfAny(['/', '\0']) < 0
        && !(name[0] == '.' && name.EndsWith(PartEnd, StringComparison.OrdinalIgnoreCase))
        && (!OperatingSystem.IsWindows() || (name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0 && name[^1] is not ('.' or ' ')));

    private async Task ReceiveAsync(
        TransferLines peer, string name, long size, Action<FileProgress>? progress, CancellationToken cancellation)
    {
        if (!IsName(name))
        {
            throw await peer.RefuseAsync($"\"{Shown(name)}\" is no name of a file", cancellation).ConfigureAwait(false);
        }

        string target = Path.Combine(folder, name);
        FileStatus? there = FileStatus.Of(target);
        bool isThere = there is { IsRegular: true } && there.Value.Length == size;
        if (there is not null && !overwrites && !isThere)
        {
            throw await peer.RefuseAsync(TransferLines.Exists(name), cancellation).ConfigureAwait(false);
        }

        if (isThere)
        {
            using FileStream whole = new(SystemFile.OpenRead(target), FileAccess.Read, bufferSize: 0);
            string word = overwrites ? TransferLines.Have : TransferLines.Only;
            (IncrementalHash same, long from) = await AgreeAsync(peer, whole, size, word, cancellation).ConfigureAwait(false);
            using (same)
            {
                if (from == size)
                {
                    await EndAsync(peer, name, size, from, same, end: null, progress, cancellation).ConfigureAwait(false);
                    return;
                }
            }

            if (!overwrites)
            {
                throw await peer.RefuseAsync(TransferLines.Exists(name), cancellation).ConfigureAwait(false);
            }
        }

        await ReceivePartAsync(peer, name, size, isAgreed: isThere, progress, cancellation).ConfigureAwait(false);
    }

    /// <summary>Says what is there of a file, and hears where the sender goes on.</summary>
    /// <returns>The hash of what is kept, and how many bytes that are.</returns>
    private static async Task<(IncrementalHash Hash, long From)> AgreeAsync(
        TransferLines peer, FileStream file, long size, string word, CancellationToken cancellation)
    {
        long offset = file.Length <= size ? file.Length : 0;
        IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[BufferBytes];
        for (long left = offset; left > 0;)
        {
            int count = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, BufferBytes)), cancellation).ConfigureAwait(false);
            hash.AppendData(buffer, 0, count);
            left = count == 0 ? 0 : left - count;
        }

        await peer.WriteAsync($"{word} {offset} {Convert.ToHexStringLower(hash.GetCurrentHash())}", cancellation).ConfigureAwait(false);
        string[] words = await peer.ReadAsync("from", words: 1, cancellation).ConfigureAwait(false);
        if (TransferLines.Number(words[0]) is not { } from || (from != 0 && from != offset))
        {
            throw TransferLines.Misunderstood($"from {words[0]}");
        }

        if (from == 0)
        {
            hash.GetHashAndReset();
        }

        return (hash, from);
    }

    /// <param name="peer">The sender.</param>
    /// <param name="name">The file's.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="isAgreed">Whether the sender begins at the beginning, and has said so.</param>
    /// <param name="progress">Told often.</param>
    /// <param name="cancellation">Gives up.</param>
    private async Task ReceivePartAsync(
        TransferLines peer, string name, long size, bool isAgreed, Action<FileProgress>? progress, CancellationToken cancellation)
    {
        string part = Path.Combine(folder, PartOf(name));
        using SafeFileHandle alone = SystemFile.OpenAlone(part);
        FileStream file = new(alone, FileAccess.ReadWrite, bufferSize: 0);
        await using (file.ConfigureAwait(false))
        {
            try
            {
                if (FileStatus.Of(alone) is not { IsRegular: true, Names: 1 })
                {
                    string why = $"{Shown(name)}: {Shown(PartOf(name))} in the folder is no file of its own: remove it there";
                    throw await peer.RefuseAsync(why, cancellation).ConfigureAwait(false);
                }

                (IncrementalHash hash, long from) = isAgreed
                    ? (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), 0)
                    : await AgreeAsync(peer, file, size, TransferLines.Have, cancellation).ConfigureAwait(false);
                using (hash)
                {
                    await FillAsync(peer, file, hash, new FileProgress(name, from, size, from, Sha256: null), progress, cancellation)
                        .ConfigureAwait(false);
                    await EndAsync(peer, name, size, from, hash, () => Keep(file, alone, part, name), progress, cancellation)
                        .ConfigureAwait(false);
                }
            }
            finally
            {
                SystemFile.Unlock(alone);
            }
        }
    }

    /// <summary>Receives what is missing.</summary>
    private static async Task FillAsync(
        TransferLines peer, FileStream file, IncrementalHash hash, FileProgress begin, Action<FileProgress>? progress,
        CancellationToken cancellation)
    {
        file.SetLength(begin.From);
        file.Position = begin.From;
        for (long done = begin.From; done < begin.Size;)
        {
            ReadOnlyMemory<byte> bytes = await peer.ReadBytesAsync(begin.Size - done, cancellation).ConfigureAwait(false);
            await file.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            hash.AppendData(bytes.Span);
            done += bytes.Length;
            progress?.Invoke(begin with { Done = done });
        }
    }

    /// <summary>The file is whole: its name is its own from here on.</summary>
    private void Keep(FileStream file, SafeFileHandle alone, string part, string name)
    {
        file.Flush(flushToDisk: true);
        SystemFile.Unlock(alone);
        file.Dispose();
        SystemFile.Rename(part, Path.Combine(folder, name), overwrites);
    }

    private async Task EndAsync(
        TransferLines peer, string name, long size, long from, IncrementalHash hash, Action? end, Action<FileProgress>? progress,
        CancellationToken cancellation)
    {
        string[] words = await peer.ReadAsync("sha256", words: 1, cancellation).ConfigureAwait(false);
        string sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (words[0] != sha256)
        {
            if (end is not null)
            {
                SystemFile.TryDelete(Path.Combine(folder, PartOf(name)));
            }

            throw await peer.RefuseAsync($"{Shown(name)}: the checksum is another one than the sender's: send it again", cancellation)
                .ConfigureAwait(false);
        }

        end?.Invoke();
        await peer.WriteAsync(TransferLines.Ok, cancellation).ConfigureAwait(false);
        progress?.Invoke(new FileProgress(name, size, size, from, sha256));
    }
}
