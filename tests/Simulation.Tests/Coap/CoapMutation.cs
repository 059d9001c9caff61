namespace Doorbell.Tests;

/// <summary>What is broken on purpose, to see that the simulation finds it.</summary>
internal enum CoapMutation
{
    None,

    /// <summary>The server remembers no exchanges: a duplicate has a second effect.</summary>
    ForgetsExchanges,

    /// <summary>A client takes any answer for its question's, as if it did not look at the token.</summary>
    IgnoresTokens,

    /// <summary>A client sends again at the first wait's pace, however often.</summary>
    NeverBacksOff,
}
