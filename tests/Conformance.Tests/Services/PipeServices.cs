using System.Buffers;
using System.IO.Pipelines;

namespace Doorbell.Tests;

/// <summary>Copies of the capitaliser as ordinary async code; they must behave as the original does.</summary>
internal static class PipeServices
{
    public static Service WithDelay { get; } = new("capitalize-delay") { NewStreamHandler = static _ => new Delayed() };

    public static Service WithFile { get; } = new("capitalize-file") { NewStreamHandler = static _ => new Filed() };

    private abstract class Capitaliser : PipeHandler
    {
        protected sealed override async Task RunAsync(PipeConnection connection)
        {
            CancellationToken closed = connection.Closed;
            while (true)
            {
                ReadResult read = await connection.Input.ReadAsync(closed);
                SequencePosition? end = LastEnd(read.Buffer);
                ReadOnlySequence<byte> ready = read.IsCompleted ? read.Buffer : read.Buffer.Slice(0, end ?? read.Buffer.Start);
                if (!ready.IsEmpty)
                {
                    byte[] lines = ready.ToArray();
                    await WorkAsync(lines, closed);
                    UpperCase.Unicode(lines, connection.Output, isFinal: true);
                    await connection.Output.FlushAsync(closed);
                }

                connection.Input.AdvanceTo(ready.End, read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        }

        protected abstract Task WorkAsync(byte[] lines, CancellationToken closed);

        private static SequencePosition? LastEnd(ReadOnlySequence<byte> input)
        {
            int last = input.ToArray().AsSpan().LastIndexOfAny((byte)'\n', (byte)0);
            return last < 0 ? null : input.GetPosition(last + 1);
        }
    }

    private sealed class Delayed : Capitaliser
    {
        protected override Task WorkAsync(byte[] lines, CancellationToken closed) => Task.Delay(1, closed);
    }

    private sealed class Filed : Capitaliser
    {
        protected override async Task WorkAsync(byte[] lines, CancellationToken closed)
        {
            string path = Path.GetTempFileName();
            await File.WriteAllBytesAsync(path, lines, closed);
            Assert.Equal(lines, await File.ReadAllBytesAsync(path, closed));
            File.Delete(path);
        }
    }
}
