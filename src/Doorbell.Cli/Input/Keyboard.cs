using System.Threading.Channels;
using Doorbell.Lab.Impair.Control;

namespace Doorbell.Cli.Input;

/// <summary>Reads the terminal on a thread of its own, which does not keep the process.</summary>
internal static class Keyboard
{
    private const int MaxKeys = 1024;

    /// <summary>
    /// Whether somebody may type: standard input is a terminal, and this process is in its foreground. One in the background that
    /// reads is stopped (SIGTTIN, "Job control" in termios(3)).
    /// </summary>
    public static bool IsThere => !Console.IsInputRedirected && PassedDescriptor.IsThere(0) && IsInForeground;

    /// <summary>Whether the process group of ours is the terminal's: the fields pgrp and tpgid of proc_pid_stat(5).</summary>
    public static bool IsInForeground
    {
        get
        {
            const int Group = 2;
            const int TerminalsGroup = 5;
            if (!OperatingSystem.IsLinux() || !File.Exists("/proc/self/stat"))
            {
                return true;
            }

            string stat = File.ReadAllText("/proc/self/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[Group] == fields[TerminalsGroup];
        }
    }

    /// <summary>Keys, unseen on the terminal, until it ends.</summary>
    public static ChannelReader<ConsoleKeyInfo> ReadKeys()
    {
        Channel<ConsoleKeyInfo> keys = Channel.CreateBounded<ConsoleKeyInfo>(
            new BoundedChannelOptions(MaxKeys) { FullMode = BoundedChannelFullMode.DropWrite });
        Start(() =>
        {
            while (true)
            {
                // Always one read under way: between two of them the terminal would show what is typed.
                keys.Writer.TryWrite(Console.ReadKey(intercept: true));
            }
        });
        return keys.Reader;
    }

    /// <summary>Answers each line typed, until the terminal ends.</summary>
    public static void AnswerLines(FaultControl control, Action<string> say) => Start(() =>
    {
        using StreamReader lines = new(StandardInput.Open());
        while (lines.ReadLine() is { } line)
        {
            say(control.Answer(line));
        }
    });

    private static void Start(Action read) => new Thread(() =>
    {
        try
        {
            read();
        }
        catch (Exception ended) when (ended is IOException or InvalidOperationException)
        {
            // The terminal has gone: nobody types any more.
        }
    }) { IsBackground = true, Name = "keyboard" }.Start();
}
