using System.Runtime.InteropServices;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Signals that would end the process ask it to end instead: the first of them, and the second once more. They are SIGINT and SIGQUIT,
/// which a terminal's keys send, SIGTERM, and SIGHUP, which says that the terminal has gone. One that is ignored when this process starts,
/// as SIGHUP is under nohup(1), stays ignored.
/// </summary>
/// <remarks>
/// They are heard until the process has ended: one that comes while the last lines are written must not change the exit code.
/// </remarks>
internal static class StopSignals
{
    private static readonly PosixSignal[] _signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP];

    private static readonly CancellationTokenSource _first = new();
    private static readonly CancellationTokenSource _second = new();

    /// <summary>A registration that is collected unregisters itself.</summary>
    private static PosixSignalRegistration[] _registrations = [];
    private static PosixSignal _heard;

    /// <summary>Cancelled by the first.</summary>
    public static CancellationToken First => _first.Token;

    /// <summary>Cancelled by the second.</summary>
    public static CancellationToken Second => _second.Token;

    /// <summary>From now on a signal asks.</summary>
    public static void Listen()
    {
        if (_registrations.Length == 0)
        {
            _registrations = [.. _signals.Select(static signal => PosixSignalRegistration.Create(signal, Hear))];
        }
    }

    /// <summary>
    /// Ends this process by the signal that it heard first, as if nothing had been done about it. A shell then knows that its user wants to
    /// end: bash ends the loop or script that runs the command only if the command has died of SIGINT ("SIGNALS" in bash(1)).
    /// </summary>
    /// <returns>
    /// The exit code by which a shell tells of that signal, where a process can't end itself by one. On Windows a batch file is ended by a
    /// program that ends with STATUS_CONTROL_C_EXIT.
    /// </returns>
    public static int EndProcess()
    {
        const nint Default = 0;
        const int ControlCExit = unchecked((int)0xC000013A);
        int number = _heard switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGQUIT => 3,
            _ => 15,
        };
        if (OperatingSystem.IsLinux())
        {
            _ = LibcProcesses.signal(number, Default);
            _ = LibcProcesses.kill(Environment.ProcessId, number);
        }

        return OperatingSystem.IsWindows() ? ControlCExit : 128 + number;
    }

    private static void Hear(PosixSignalContext context)
    {
        context.Cancel = true;
        if (!_first.IsCancellationRequested)
        {
            _heard = context.Signal;
        }

        (_first.IsCancellationRequested ? _second : _first).Cancel();
        if (OperatingSystem.IsWindows() && context.Signal is (PosixSignal.SIGHUP or PosixSignal.SIGTERM))
        {
            // The window is closed, or the system shuts down: Windows ends the process when this call returns, and 5 s after it was made
            // ("HandlerRoutine callback function"). The process ends earlier, when it has done what it does at its end.
            using ManualResetEvent never = new(initialState: false);
            never.WaitOne();
        }
    }
}
