using System.Buffers;
using System.Text;
using Doorbell.Native;

namespace Doorbell.Cli.Arguments;

/// <summary>A file that the command line names, read as a whole. It may have no end, as /dev/zero has none.</summary>
internal static class BoundedFile
{
    private const int MaxShownBytes = 20;

    /// <summary>Its bytes.</summary>
    /// <param name="path">As <see cref="SystemText"/> has it.</param>
    /// <param name="maxBytes">More are an error.</param>
    /// <param name="what">What is looked for, as in <c>a script</c>.</param>
    /// <exception cref="ConfigurationException">It can't be read, or has more bytes.</exception>
    public static byte[] Read(string path, int maxBytes, string what)
    {
        using FileStream file = Open(path, what);
        using MemoryStream all = new();
        byte[] buffer = new byte[64 * 1024];
        for (int count; (count = Read(file, buffer, path, what)) > 0;)
        {
            all.Write(buffer, 0, count);
            if (all.Length > maxBytes)
            {
                throw new ConfigurationException($"read {Shown(path)}: it has more than {maxBytes} bytes, and {what} has no more");
            }
        }

        return all.ToArray();
    }

    /// <summary>Its text. An editor may have begun it with U+FEFF, which is left out.</summary>
    /// <inheritdoc cref="Read(string, int, string)"/>
    /// <exception cref="ConfigurationException">It can't be read, has more bytes, or is no UTF-8.</exception>
    public static string ReadText(string path, int maxBytes, string what) => Encoding.UTF8.GetString(ReadUtf8(path, maxBytes, what));

    /// <summary>The same as bytes.</summary>
    /// <inheritdoc cref="ReadText"/>
    public static byte[] ReadUtf8(string path, int maxBytes, string what)
    {
        byte[] bytes = Read(path, maxBytes, what);
        RequireUtf8(bytes, path, firstLine: 1);
        return bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
    }

    /// <exception cref="ConfigurationException">They are none.</exception>
    public static void RequireUtf8(ReadOnlySpan<byte> bytes, string path, int firstLine)
    {
        int number = firstLine;
        foreach (Range line in bytes.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> rest = bytes[line];
            while (Rune.DecodeFromUtf8(rest, out _, out int length) == OperationStatus.Done)
            {
                rest = rest[length..];
            }

            if (!rest.IsEmpty)
            {
                string shown = PrintableText.Escape(rest, MaxShownBytes);
                throw new ConfigurationException($"{Shown(path)}:{number}: \"{shown}\" is no UTF-8: save the file as UTF-8");
            }

            number++;
        }
    }

    /// <summary>Opens a file that is too long to be held.</summary>
    /// <exception cref="ConfigurationException">It can't be opened.</exception>
    public static FileStream Open(string path, string what)
    {
        try
        {
            return new FileStream(SystemFile.OpenRead(path), FileAccess.Read, bufferSize: 0);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Unreadable(path, what, failure);
        }
    }

    /// <summary>Reads what there is; 0 at the end.</summary>
    /// <exception cref="ConfigurationException">It can't be read.</exception>
    public static int Read(FileStream file, byte[] buffer, string path, string what)
    {
        try
        {
            return file.Read(buffer);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, what, failure);
        }
    }

    private static string Shown(string path) => path.Length == 0 ? "\"\"" : PrintableText.Escape(path);

    private static ConfigurationException Unreadable(string path, string what, Exception failure) =>
        new($"read {Shown(path)}: {FileFailure.Why(failure)}; give the path of {what}");
}
