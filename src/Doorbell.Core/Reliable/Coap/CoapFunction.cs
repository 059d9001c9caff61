namespace Doorbell;

/// <summary>A resource: answers one request.</summary>
/// <param name="request">Lent for the call; its options are known ones.</param>
/// <param name="body">Where the answer's body is written.</param>
/// <returns>The answer's code.</returns>
public delegate CoapCode CoapFunction(CoapMessage request, System.Buffers.IBufferWriter<byte> body);
