using System.Buffers;
using System.IO.Pipelines;
using Doorbell.Bench.Peers;
using Microsoft.AspNetCore.Connections;

namespace Doorbell.Bench.Kestrel;

/// <summary>The service as one writes it for Kestrel: a loop over the connection's two pipes.</summary>
internal sealed class Capitalizer : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        while (true)
        {
            ReadResult read = await input.ReadAsync();
            ReadOnlySequence<byte> text = read.Buffer;
            if (read.IsCompleted)
            {
                Answer(text, output);
                await output.FlushAsync();
                return;
            }

            ReadOnlySequence<byte> lines = text.Slice(0, WholeLines(text));
            bool any = !lines.IsEmpty;
            Answer(lines, output);
            input.AdvanceTo(lines.End, text.End);
            if (text.Length - lines.Length > Capitals.MostUnfinished || (any && (await output.FlushAsync()).IsCompleted))
            {
                return;
            }
        }
    }

    private static long WholeLines(ReadOnlySequence<byte> text)
    {
        if (text.IsSingleSegment)
        {
            return Capitals.WholeLines(text.FirstSpan);
        }

        long passed = 0;
        long whole = 0;
        foreach (ReadOnlyMemory<byte> segment in text)
        {
            int lines = Capitals.WholeLines(segment.Span);
            whole = lines > 0 ? passed + lines : whole;
            passed += segment.Length;
        }

        return whole;
    }

    private static void Answer(ReadOnlySequence<byte> text, PipeWriter output)
    {
        foreach (ReadOnlyMemory<byte> segment in text)
        {
            Span<byte> space = output.GetSpan(segment.Length)[..segment.Length];
            segment.Span.CopyTo(space);
            Capitals.Make(space);
            output.Advance(segment.Length);
        }
    }
}
