using System.Globalization;

namespace Doorbell;

/// <summary>Numbers in the texts of peers, endpoints and address lists.</summary>
internal static class WholeNumber
{
    /// <summary>Reads digits, and digits alone: .NET's parser lets NULs stand behind a number.</summary>
    /// <returns>Whether the text is a number that an <see cref="int"/> holds.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        return !text.ContainsAnyExceptInRange('0', '9') && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
