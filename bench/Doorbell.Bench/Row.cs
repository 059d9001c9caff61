namespace Doorbell.Bench;

/// <summary>One line of the table of goals: a kind of work, and the servers that are compared at it.</summary>
/// <param name="Name">As <c>--rows</c> calls it.</param>
/// <param name="Title">What is done.</param>
/// <param name="Measure">What is counted.</param>
/// <param name="Service">What the servers serve.</param>
/// <param name="Work">How they are asked.</param>
/// <param name="Servers">The first is what all are compared with.</param>
/// <param name="Goals">What ours should reach.</param>
internal sealed record Row(
    string Name, string Title, Measure Measure, Service Service, IWork Work, IReadOnlyList<string> Servers, IReadOnlyList<Goal> Goals)
{
    public string Yardstick => Servers[0];

    /// <summary>A server that has had connections keeps some memory for the next: each round takes one that is new.</summary>
    public bool FreshServers { get; init; }
}
