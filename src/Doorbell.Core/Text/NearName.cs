namespace Doorbell;

/// <summary>Finds the name that somebody meant who wrote another.</summary>
public static class NearName
{
    /// <summary>A longer word is near to no name.</summary>
    private const int MaxLength = 40;

    /// <summary>One letter in three may be wrong.</summary>
    private const int LettersForEachMistake = 3;

    /// <summary>The nearest of the names; null if none is near. The beginning of a single name, as in <c>conn</c>, is near to it.</summary>
    /// <param name="word">What was written, in whatever case.</param>
    /// <param name="names">What there is.</param>
    public static string? Of(string word, IEnumerable<string> names)
    {
        if (word.Length is 0 or > MaxLength)
        {
            return null;
        }

        string[] all = [.. names];
        string meant = word.ToLowerInvariant();
        string? near = all.MinBy(name => Distance(meant, name.ToLowerInvariant()));
        if (near is not null && Distance(meant, near.ToLowerInvariant()) <= Math.Max(1, near.Length / LettersForEachMistake))
        {
            return near;
        }

        string[] longer = [.. all.Where(name => name.StartsWith(word, StringComparison.OrdinalIgnoreCase))];
        return word.Length >= LettersForEachMistake && longer.Length == 1 ? longer[0] : null;
    }

    /// <summary>What an error says behind <c>"word" is no thing: </c>. It asks for the near name, if there is one, and gives all.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="names">What there is.</param>
    public static string Advice(string word, IReadOnlyCollection<string> names)
    {
        string all = string.Join(", ", names);
        return Of(word, names) is { } near ? $"did you mean {near}? There are {all}" : $"give one of {all}";
    }

    /// <summary>
    /// How many mistakes make one word of another: a letter put in, left out or changed, or two neighbours exchanged (optimal string
    /// alignment). The time that it takes grows with the product of both lengths.
    /// </summary>
    /// <param name="from">One word.</param>
    /// <param name="to">The other.</param>
    public static int Distance(string from, string to)
    {
        int[] beforeLast = new int[to.Length + 1];
        int[] last = new int[to.Length + 1];
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            (beforeLast, last, row) = (last, row, beforeLast);
            row[0] = i;
            for (int k = 1; k <= to.Length; k++)
            {
                int change = last[k - 1] + (from[i - 1] == to[k - 1] ? 0 : 1);
                row[k] = Math.Min(change, 1 + Math.Min(last[k], row[k - 1]));
                bool areExchanged = i > 1 && k > 1 && from[i - 1] == to[k - 2] && from[i - 2] == to[k - 1];
                row[k] = areExchanged ? Math.Min(row[k], beforeLast[k - 2] + 1) : row[k];
            }
        }

        return row[^1];
    }
}
