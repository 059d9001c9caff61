namespace Doorbell.Mutation;

/// <summary>One small mistake, put into the sources on purpose: a good test fails because of it.</summary>
/// <param name="Number">Which one; the running program is told it in <see cref="MutantSwitch.Variable"/>.</param>
/// <param name="File">Relative to the repository.</param>
/// <param name="Line">From 1.</param>
/// <param name="Change">For people, such as <c>a &lt; b → a &lt;= b</c>.</param>
internal sealed record Mutant(int Number, string File, int Line, string Change)
{
    public override string ToString() => $"{Number,5}  {File}:{Line}  {Change}";
}
