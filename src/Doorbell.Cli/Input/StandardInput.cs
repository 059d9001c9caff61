namespace Doorbell.Cli.Input;

/// <summary>Standard input, if there is one.</summary>
internal static class StandardInput
{
    /// <summary>
    /// Standard input as bytes. Started without one (<c>&lt;&amp;-</c>), descriptor 0 is whatever the runtime opened first, such as a
    /// source of random bytes: then the input is empty.
    /// </summary>
    public static Stream Open() => PassedDescriptor.IsThere(0) ? StandardStream.Input() : Stream.Null;
}
