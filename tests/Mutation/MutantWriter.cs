using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Doorbell.Mutation;

/// <summary>
/// Puts every mutant of one file into its source, each behind its switch: <c>a &lt; b</c> becomes
/// <c>(on ? a &lt;= b : a &lt; b)</c>, and a statement <c>f();</c> becomes <c>if (!on) { f(); }</c>. Lines stay where they were.
/// </summary>
/// <param name="file">Relative to the repository.</param>
/// <param name="first">The number of the file's first mutant.</param>
/// <param name="puts">Which numbers are put in. The others are counted, so that a number means the same in each build.</param>
internal sealed class MutantWriter(string file, int first, Predicate<int> puts) : CSharpSyntaxRewriter
{
    private static readonly Dictionary<SyntaxKind, (SyntaxKind Expression, SyntaxKind Token)> _others = new()
    {
        [SyntaxKind.LessThanExpression] = (SyntaxKind.LessThanOrEqualExpression, SyntaxKind.LessThanEqualsToken),
        [SyntaxKind.LessThanOrEqualExpression] = (SyntaxKind.LessThanExpression, SyntaxKind.LessThanToken),
        [SyntaxKind.GreaterThanExpression] = (SyntaxKind.GreaterThanOrEqualExpression, SyntaxKind.GreaterThanEqualsToken),
        [SyntaxKind.GreaterThanOrEqualExpression] = (SyntaxKind.GreaterThanExpression, SyntaxKind.GreaterThanToken),
        [SyntaxKind.EqualsExpression] = (SyntaxKind.NotEqualsExpression, SyntaxKind.ExclamationEqualsToken),
        [SyntaxKind.NotEqualsExpression] = (SyntaxKind.EqualsExpression, SyntaxKind.EqualsEqualsToken),
        [SyntaxKind.LogicalAndExpression] = (SyntaxKind.LogicalOrExpression, SyntaxKind.BarBarToken),
        [SyntaxKind.LogicalOrExpression] = (SyntaxKind.LogicalAndExpression, SyntaxKind.AmpersandAmpersandToken),
        [SyntaxKind.AddExpression] = (SyntaxKind.SubtractExpression, SyntaxKind.MinusToken),
        [SyntaxKind.SubtractExpression] = (SyntaxKind.AddExpression, SyntaxKind.PlusToken),
        [SyntaxKind.MultiplyExpression] = (SyntaxKind.DivideExpression, SyntaxKind.SlashToken),
        [SyntaxKind.DivideExpression] = (SyntaxKind.MultiplyExpression, SyntaxKind.AsteriskToken),
    };

    private readonly List<Mutant> _mutants = [];

    /// <summary>Those that were put in.</summary>
    public IReadOnlyList<Mutant> Mutants => _mutants;

    /// <summary>How many numbers the file took, with those that were not put in.</summary>
    public int Numbers { get; private set; }

    public override SyntaxNode? VisitBinaryExpression(BinaryExpressionSyntax node)
    {
        SyntaxNode visited = base.VisitBinaryExpression(node)!;
        if (!_others.TryGetValue(node.Kind(), out (SyntaxKind Expression, SyntaxKind Token) other) || Declares(node) || JoinsText(node))
        {
            return visited;
        }

        BinaryExpressionSyntax changed = SyntaxFactory.BinaryExpression(
            other.Expression, node.Left, SyntaxFactory.Token(other.Token).WithTriviaFrom(node.OperatorToken), node.Right);
        return Choose(node, changed, (ExpressionSyntax)visited);
    }

    public override SyntaxNode? VisitInvocationExpression(InvocationExpressionSyntax node)
    {
        SyntaxNode visited = base.VisitInvocationExpression(node)!;
        string? other = node.Expression.ToString() switch
        {
            "Math.Min" => "Math.Max",
            "Math.Max" => "Math.Min",
            _ => null,
        };
        return other is null || Declares(node)
            ? visited
            : Choose(node, node.WithExpression(SyntaxFactory.ParseExpression(other)), (ExpressionSyntax)visited);
    }

    public override SyntaxNode? VisitReturnStatement(ReturnStatementSyntax node)
    {
        SyntaxNode visited = base.VisitReturnStatement(node)!;
        SyntaxKind? other = node.Expression?.Kind() switch
        {
            SyntaxKind.TrueLiteralExpression => SyntaxKind.FalseLiteralExpression,
            SyntaxKind.FalseLiteralExpression => SyntaxKind.TrueLiteralExpression,
            _ => null,
        };
        return other is null
            ? visited
            : node.WithExpression(Choose(node.Expression!, SyntaxFactory.LiteralExpression(other.Value), node.Expression!));
    }

    public override SyntaxNode? VisitIfStatement(IfStatementSyntax node)
    {
        IfStatementSyntax visited = (IfStatementSyntax)base.VisitIfStatement(node)!;
        bool isMutatedInside = node.Condition is BinaryExpressionSyntax binary && _others.ContainsKey(binary.Kind());
        if (isMutatedInside || Declares(node.Condition))
        {
            return visited;
        }

        ExpressionSyntax negated = SyntaxFactory.PrefixUnaryExpression(
            SyntaxKind.LogicalNotExpression, SyntaxFactory.ParenthesizedExpression(node.Condition.WithoutTrivia()));
        return visited.WithCondition(Choose(node.Condition, negated, visited.Condition));
    }

    public override SyntaxNode? VisitExpressionStatement(ExpressionStatementSyntax node)
    {
        SyntaxNode visited = base.VisitExpressionStatement(node)!;
        if (node.Expression is AwaitExpressionSyntax || Declares(node) || IsForPeople(node) || SetsVariable(node))
        {
            return visited;
        }

        if (Number(node, "(left out)") is not { } number)
        {
            return visited;
        }

        StatementSyntax kept = (StatementSyntax)visited;
        return SyntaxFactory.ParseStatement($"if (!{MutantSwitch.IsOn(number)}) {{ {kept.WithoutTrivia().ToFullString()} }}")
            .WithTriviaFrom(node);
    }

    // What has to be a constant, or is compared as a pattern, stays.
    public override SyntaxNode? VisitAttributeList(AttributeListSyntax node) => node;

    public override SyntaxNode? VisitParameter(ParameterSyntax node) => node;

    public override SyntaxNode? VisitEnumMemberDeclaration(EnumMemberDeclarationSyntax node) => node;

    public override SyntaxNode? VisitCaseSwitchLabel(CaseSwitchLabelSyntax node) => node;

    public override SyntaxNode? VisitConstantPattern(ConstantPatternSyntax node) => node;

    public override SyntaxNode? VisitRelationalPattern(RelationalPatternSyntax node) => node;

    public override SyntaxNode? VisitFieldDeclaration(FieldDeclarationSyntax node) =>
        node.Modifiers.Any(SyntaxKind.ConstKeyword) ? node : base.VisitFieldDeclaration(node);

    public override SyntaxNode? VisitLocalDeclarationStatement(LocalDeclarationStatementSyntax node) =>
        node.IsConst ? node : base.VisitLocalDeclarationStatement(node);

    /// <summary>A variable that is declared inside would be declared twice.</summary>
    private static bool Declares(SyntaxNode node) =>
        node.DescendantNodes().Any(static inner => inner is VariableDesignationSyntax and not DiscardDesignationSyntax);

    private static bool JoinsText(BinaryExpressionSyntax node) => node.IsKind(SyntaxKind.AddExpression)
        && node.DescendantNodesAndSelf().Any(static inner =>
            inner.IsKind(SyntaxKind.StringLiteralExpression) || inner.IsKind(SyntaxKind.InterpolatedStringExpression));

    /// <summary>An assertion of a debug build, or a line of a log.</summary>
    private static bool IsForPeople(ExpressionStatementSyntax node) =>
        node.Expression is InvocationExpressionSyntax call
        && (call.Expression.ToString().StartsWith("Debug.", StringComparison.Ordinal)
            || call.Expression.ToString().Contains("Log.", StringComparison.OrdinalIgnoreCase));

    /// <summary>Without it a local variable or an out parameter may have no value, which does not compile.</summary>
    private static bool SetsVariable(ExpressionStatementSyntax node) =>
        node.Expression is AssignmentExpressionSyntax { Left: IdentifierNameSyntax left } assignment
        && assignment.IsKind(SyntaxKind.SimpleAssignmentExpression)
        && char.IsLower(left.Identifier.Text[0]);

    private ExpressionSyntax Choose(ExpressionSyntax original, ExpressionSyntax changed, ExpressionSyntax visited) =>
        Number(original, $"→ {OneLine(changed)}") is { } number
            ? SyntaxFactory.ParseExpression(
                $"({MutantSwitch.IsOn(number)} ? {changed.WithoutTrivia().ToFullString()} : {visited.WithoutTrivia().ToFullString()})")
                .WithTriviaFrom(original)
            : visited;

    /// <summary>Null if this one is not put in.</summary>
    private int? Number(SyntaxNode node, string change)
    {
        int number = first + Numbers++;
        if (!puts(number))
        {
            return null;
        }

        int line = node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
        _mutants.Add(new Mutant(number, file, line, $"{OneLine(node)} {change}"));
        return number;
    }

    private static string OneLine(SyntaxNode node) =>
        string.Join(' ', node.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
