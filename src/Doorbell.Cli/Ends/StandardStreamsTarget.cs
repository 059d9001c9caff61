using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>Standard input and output, <c>stdio:</c>.</summary>
internal sealed class StandardStreamsTarget() : EndTarget("stdio:")
{
    public override bool IsOne => true;

    public override Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation)
    {
        RequireLinux();
        Input.StandardStream.RequireOpen();
        return Task.FromResult<OpenEnd>(new StandardStreams());
    }

    private sealed class StandardStreams()
        : OpenEnd("stdio", new DescriptorStream(new StreamDescriptor(input: 0, output: 1, isOwned: false)));
}
