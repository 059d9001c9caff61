using Doorbell.Files;

namespace Doorbell.Cli.Verbs;

/// <summary>A connection that is taken for cut if no byte moves for too long.</summary>
internal sealed class IdleStream(Stream connection, TimeSpan idle) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => connection.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => BoundAsync(
        async token =>
        {
            await connection.FlushAsync(token);
            return 0;
        },
        cancellationToken);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await BoundAsync(token => connection.ReadAsync(buffer, token).AsTask(), cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await BoundAsync(
            async token =>
            {
                await connection.WriteAsync(buffer, token);
                return 0;
            },
            cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task<int> BoundAsync(Func<CancellationToken, Task<int>> move, CancellationToken cancellation)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(idle);
        try
        {
            return await move(late.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TransferException($"no byte moved for {idle.TotalSeconds:0.###} s", isCut: true);
        }
    }
}
