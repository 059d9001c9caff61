using Doorbell.Cli.Input;
using Doorbell.Files;

namespace Doorbell.Cli.Verbs;

/// <summary>A connection that is taken for cut if no byte moves for too long.</summary>
internal sealed class IdleStream(Stream connection, TimeSpan idle) : DuplexStream
{
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
