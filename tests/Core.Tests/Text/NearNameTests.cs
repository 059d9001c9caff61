using CsCheck;

namespace Doorbell.Tests;

/// <summary>Which name somebody meant.</summary>
public sealed class NearNameTests
{
    private static readonly string[] _names = ["serve", "ask", "connect", "options", "demo", "relay", "probe", "--timeout", "--tries"];

    [Theory]
    [InlineData("serv", "serve")]
    [InlineData("sreve", "serve")]
    [InlineData("SERVE", "serve")]
    [InlineData("aks", "ask")]
    [InlineData("as", "ask")]
    [InlineData("asking", null)]
    [InlineData("conn", "connect")]
    [InlineData("co", null)]
    [InlineData("--timout", "--timeout")]
    [InlineData("--time", "--timeout")]
    [InlineData("--t", null)]
    [InlineData("nosuch", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void The_near_name_is_found(string word, string? expected) => Assert.Equal(expected, NearName.Of(word, _names));

    /// <summary>The time grows with the length, so what is longer than any name is not compared.</summary>
    [Fact]
    public void A_word_longer_than_any_name_is_near_to_none()
    {
        string name = new('a', 40);
        Assert.Equal(name, NearName.Of(name, [name]));
        Assert.Null(NearName.Of(name + "a", [name]));
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("abcd", "acbd", 1)]
    [InlineData("abc", "cab", 2)]
    [InlineData("flaw", "lawn", 2)]
    [InlineData("acb", "ba", 3)]
    public void A_distance_counts_mistakes(string from, string to, int expected) => Assert.Equal(expected, NearName.Distance(from, to));

    /// <summary>
    /// To itself a name's distance is 0, and both ways it is the same. One letter more takes one from it at most, and adds two at most: it
    /// may stand between two letters that were swapped, which are then two mistakes of their own.
    /// </summary>
    [Fact]
    public void One_letter_more_is_a_distance_of_one_and_changes_others_little()
    {
        Gen<string> word = Gen.Char["abc"].Array[0, 8].Select(static letters => new string(letters));
        Gen.Select(word, word, Gen.Int[0, 7], Gen.Char["abc"]).Sample((from, to, at, letter) =>
        {
            int distance = NearName.Distance(from, to);
            Assert.Equal(0, NearName.Distance(from, from));
            Assert.Equal(distance, NearName.Distance(to, from));
            Assert.InRange(distance, Math.Abs(from.Length - to.Length), Math.Max(from.Length, to.Length));
            string longer = from.Insert(Math.Min(at, from.Length), $"{letter}");
            Assert.Equal(1, NearName.Distance(from, longer));
            Assert.InRange(NearName.Distance(longer, to), distance - 1, distance + 2);
        });
    }

    [Fact]
    public void Advice_asks_where_a_name_is_near_and_lists_all()
    {
        Assert.Equal("did you mean echo? There are echo, time", NearName.Advice("ehco", ["echo", "time"]));
        Assert.Equal("give one of echo, time", NearName.Advice("nosuch", ["echo", "time"]));
    }
}
