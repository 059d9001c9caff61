using System.Runtime.InteropServices;

namespace Doorbell.Cli.Verbs;

/// <summary>Signals that would end the process ask it to end instead: the first of them, and the second once more.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals(params PosixSignal[] signals) =>
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Hear))];

    /// <summary>Cancelled by the first.</summary>
    public CancellationToken First => _first.Token;

    /// <summary>Cancelled by the second.</summary>
    public CancellationToken Second => _second.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _first.Dispose();
        _second.Dispose();
    }

    private void Hear(PosixSignalContext context)
    {
        context.Cancel = true;
        (_first.IsCancellationRequested ? _second : _first).Cancel();
    }
}
