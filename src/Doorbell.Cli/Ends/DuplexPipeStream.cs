using System.IO.Pipelines;
using Doorbell.Cli.Input;

namespace Doorbell.Cli.Ends;

/// <summary>A connection of a server as one stream. Whoever made the connection closes it.</summary>
internal sealed class DuplexPipeStream(IDuplexPipe connection) : DuplexStream
{
    private readonly Stream _input = connection.Input.AsStream(leaveOpen: true);
    private readonly Stream _output = connection.Output.AsStream(leaveOpen: true);

    public override void Flush() => _output.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _output.WriteAsync(buffer, cancellationToken);
}
