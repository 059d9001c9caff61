using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>A serial line, <c>serial:///dev/ttyUSB0?115200,8N1</c>.</summary>
/// <param name="name">As it was written.</param>
/// <param name="path">Of the device.</param>
/// <param name="form">Speed, bits and parity.</param>
internal sealed class SerialTarget(string name, string path, SerialForm form) : EndTarget(name)
{
    /// <summary>What is written leaves at the line's speed: so long it has for that when the line is closed.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    public override bool IsOne => true;

    public override Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation)
    {
        RequireLinux();
        return Task.FromResult<OpenEnd>(new Line(Name, SerialLine.Open(Name, path, form.Apply)));
    }

    private sealed class Line(string name, SerialLine line)
        : OpenEnd(name, new DescriptorStream(new StreamDescriptor(line.Descriptor, line.Descriptor, isOwned: false)))
    {
        public override bool IsGoneAtEnd => true;

        public override async Task DrainAsync()
        {
            long until = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
            while (!line.IsSent && Environment.TickCount64 < until)
            {
                await Task.Delay(_pause);
            }
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            line.Dispose();
        }
    }
}
