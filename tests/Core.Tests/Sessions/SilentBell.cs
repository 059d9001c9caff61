namespace Doorbell.Tests;

/// <summary>A bell of a lane that nobody waits in.</summary>
internal sealed class SilentBell : Bell
{
    public override void Ring()
    {
    }
}
