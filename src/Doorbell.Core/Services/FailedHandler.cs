using System.Runtime.ExceptionServices;

namespace Doorbell;

/// <summary>
/// Stands in for a handler that could not be made: <see cref="Service.NewStreamHandler"/> threw. Its connection is opened and at once
/// reset as any whose handler fails, so that it is counted and logged under every model, and in the simulated network.
/// </summary>
internal sealed class FailedHandler(ExceptionDispatchInfo fault) : StreamHandler
{
    public override Next OnOpen(Turn turn)
    {
        fault.Throw();
        return Next.Abort;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) =>
        throw new InvalidOperationException("The connection has no handler.");
}
