using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>A new pseudo-terminal, <c>pty:</c>, perhaps with a symbolic link to its other side, <c>pty:LINK</c>.</summary>
/// <param name="link">Where; null for none.</param>
internal sealed class PseudoTerminalTarget(string? link) : EndTarget($"pty:{(link is null ? "" : PrintableText.Escape(link))}")
{
    /// <summary>When this side closes, what the other has not read is lost: so long it has for that.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    public override bool IsOne => link is not null;

    public override Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation)
    {
        RequireLinux();
        int descriptor = PseudoTerminal.Open(Name, out string path);
        StreamDescriptor terminal = new(descriptor, descriptor, isOwned: true);
        try
        {
            if (link is not null)
            {
                PseudoTerminal.Link(Name, path, link);
            }
        }
        catch
        {
            terminal.Dispose();
            throw;
        }

        opening.Say(path);
        return Task.FromResult<OpenEnd>(new Terminal(Name, terminal, path, link));
    }

    private sealed class Terminal(string name, StreamDescriptor descriptor, string path, string? link)
        : OpenEnd(name, new DescriptorStream(descriptor))
    {
        public override bool IsGoneAtEnd => true;

        public override async Task DrainAsync()
        {
            // What is written reaches the other side a moment later, by a worker of the kernel's: it is looked at twice.
            long until = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
            int seen = 0;
            while (seen < 2 && Environment.TickCount64 < until)
            {
                seen = PseudoTerminal.IsRead(descriptor.Input, path) ? seen + 1 : 0;
                await Task.Delay(_pause);
            }
        }

        public override async ValueTask DisposeAsync()
        {
            if (link is not null)
            {
                PseudoTerminal.Unlink(path, link);
            }

            await base.DisposeAsync();
        }
    }
}
