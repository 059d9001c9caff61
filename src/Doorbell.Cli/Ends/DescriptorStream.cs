using System.IO.Pipelines;
using Doorbell.Cli.Input;
using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>
/// A descriptor that is no socket as a stream of .NET's. A thread of its own reads, since no other call waits for any kind of descriptor;
/// at most 64 KiB wait that nobody has taken. Closing it closes the descriptor.
/// </summary>
internal sealed class DescriptorStream : DuplexStream
{
    private const int BufferBytes = 16 * 1024;
    private const int MaxWaiting = 64 * 1024;

    private readonly StreamDescriptor _descriptor;
    private readonly Pipe _pipe = new(new PipeOptions(
        pauseWriterThreshold: MaxWaiting, resumeWriterThreshold: MaxWaiting / 2, useSynchronizationContext: false));
    private readonly Stream _input;
    private readonly Task _reading;

    /// <param name="descriptor">Owned by this.</param>
    public DescriptorStream(StreamDescriptor descriptor)
    {
        _descriptor = descriptor;
        _input = _pipe.Reader.AsStream(leaveOpen: true);
        _reading = Task.Factory.StartNew(
            Receive, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer, cancellationToken);

    /// <summary>Writes all of it, however long whoever reads it takes.</summary>
    /// <exception cref="IOException">Nobody reads it any more.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await using CancellationTokenRegistration stopping = cancellationToken.Register(_descriptor.Stop);
        while (!buffer.IsEmpty)
        {
            int count = _descriptor.TryWrite(buffer.Span);
            buffer = buffer[count..];
            if (count == 0 && !await Task.Factory.StartNew(
                _descriptor.WaitForOutput, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }
    }

    /// <summary>Nobody may be writing.</summary>
    public override async ValueTask DisposeAsync()
    {
        _descriptor.Stop();
        await _pipe.Reader.CompleteAsync();
        await _reading;
        _descriptor.Dispose();
        await base.DisposeAsync();
    }

    private void Receive()
    {
        byte[] buffer = new byte[BufferBytes];
        Exception? failure = null;
        try
        {
            bool isTaken = true;
            for (int count; isTaken && (count = _descriptor.Read(buffer)) > 0;)
            {
                isTaken = !_pipe.Writer.WriteAsync(buffer.AsMemory(0, count)).AsTask().GetAwaiter().GetResult().IsCompleted;
            }
        }
        catch (IOException broken)
        {
            failure = broken;
        }

        _pipe.Writer.Complete(failure);
    }
}
