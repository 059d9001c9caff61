namespace Doorbell;

/// <summary>Answers one message by ordinary <c>async</c> code. It runs on the thread pool; several may run at once.</summary>
/// <param name="message">The message without its framing; the call's own until its task ends.</param>
/// <param name="answer">Where the answer is written; what is written, perhaps nothing, is framed as the message was. The call's own
/// until its task ends.</param>
/// <param name="connection">Who asks, and what; may be kept.</param>
/// <param name="closed">Cancelled when the connection is gone, so that nobody waits for the answer.</param>
/// <returns>A task that ends when the answer is whole. If it fails the connection is reset, and counted as the handler's fault.</returns>
public delegate ValueTask AsyncMessageFunction(
    ReadOnlyMemory<byte> message, System.Buffers.IBufferWriter<byte> answer, ConnectionInfo connection, CancellationToken closed);
