namespace Doorbell.Cli.Input;

/// <summary>Standard input that goes to a peer, read by one thread.</summary>
internal sealed class JoinedInput
{
    private readonly Stream _input = StandardInput.Open();
    private readonly CarriageReturns? _carriageReturns;

    /// <param name="addsCarriageReturns">Whether an LF becomes CRLF.</param>
    public JoinedInput(bool addsCarriageReturns) => _carriageReturns = addsCarriageReturns ? new CarriageReturns() : null;

    /// <summary>Waits until there is something to read, or the end. On Linux nothing is taken before <see cref="Read"/>.</summary>
    public void WaitForInput() => (_input as StandardStream)?.WaitForInput();

    /// <summary>Reads what there is, or waits until there is something.</summary>
    /// <param name="buffer">Where to; good until the next call.</param>
    /// <returns>Nothing at the end.</returns>
    /// <exception cref="StandardStreamException">Standard input can't be read.</exception>
    public ReadOnlyMemory<byte> Read(byte[] buffer)
    {
        int count = _input.Read(buffer);
        return _carriageReturns is null ? buffer.AsMemory(0, count) : _carriageReturns.Add(buffer.AsSpan(0, count));
    }
}
