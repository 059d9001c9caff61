namespace Doorbell;

/// <summary>Answers one message: a pure function of bytes.</summary>
/// <param name="message">The message without its framing; valid during the call only.</param>
/// <param name="answer">Where the answer is written; what is written, perhaps nothing, is framed as the message was.</param>
public delegate void MessageFunction(ReadOnlySpan<byte> message, System.Buffers.IBufferWriter<byte> answer);
