namespace Doorbell.Files;

/// <summary>How far one file is.</summary>
/// <param name="Name">Its name; of a received one as the peer gave it.</param>
/// <param name="Done">Bytes that are there.</param>
/// <param name="Size">Bytes of all of it.</param>
/// <param name="From">Bytes that were there before.</param>
/// <param name="Sha256">Of all of it, in hexadecimal; null while it is not whole.</param>
public sealed record FileProgress(string Name, long Done, long Size, long From, string? Sha256);
