using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Doorbell.Cli.Input;

/// <summary>What <c>ask</c> is to ask: a text's lines, or standard input's, each as soon as it is there.</summary>
internal static class Questions
{
    /// <summary>A longer line of standard input is refused.</summary>
    private const int MaxLineBytes = 64 * 1024 * 1024;

    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Of(string? text)
    {
        bool prompt = text is null && !Console.IsInputRedirected && !Console.IsOutputRedirected;
        Stream input = text is null
            ? StandardInput.Open()
            : new MemoryStream(Encoding.UTF8.GetBytes(text.Length == 0 ? "\n" : text));
        PipeReader reader = PipeReader.Create(input);
        while (true)
        {
            if (prompt)
            {
                Console.Error.Write("> ");
            }

            if (await NextLineAsync(reader) is not { } line)
            {
                yield break;
            }

            yield return line;
        }
    }

    private static async Task<ReadOnlyMemory<byte>?> NextLineAsync(PipeReader reader)
    {
        while (true)
        {
            ReadResult read = await reader.ReadAsync();
            ReadOnlySequence<byte> all = read.Buffer;
            if (all.PositionOf((byte)'\n') is { } end)
            {
                byte[] line = all.Slice(0, end).ToArray();
                reader.AdvanceTo(all.GetPosition(1, end));
                return WithoutCarriageReturn(line);
            }

            if (all.Length > MaxLineBytes)
            {
                throw new ArgumentException(
                    $"a line of standard input is longer than {MaxLineBytes} bytes; use `doorbell connect` for streams");
            }

            if (read.IsCompleted)
            {
                return all.IsEmpty ? default(ReadOnlyMemory<byte>?) : Take(reader, all);
            }

            reader.AdvanceTo(all.Start, all.End);
        }
    }

    private static ReadOnlyMemory<byte> Take(PipeReader reader, ReadOnlySequence<byte> last)
    {
        byte[] line = last.ToArray();
        reader.AdvanceTo(last.End);
        return WithoutCarriageReturn(line);
    }

    private static ReadOnlyMemory<byte> WithoutCarriageReturn(byte[] line) => line is [.., (byte)'\r'] ? line.AsMemory(..^1) : line;
}
