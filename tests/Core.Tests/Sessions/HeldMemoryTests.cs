using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>What is held, and who is told when it is too much.</summary>
public sealed class HeldMemoryTests
{
    private readonly List<long> _exceeded = [];

    [Fact]
    public void A_budget_says_each_time_that_more_is_taken_past_it()
    {
        BufferBudget budget = Budget(100);
        budget.Add(100);
        Assert.Empty(_exceeded);
        budget.Add(1);
        budget.Add(5);
        budget.Add(-3);
        budget.Add(-3);
        Assert.Equal([101, 106], _exceeded);
        Assert.Equal((100, 100), (budget.HeldBytes, budget.MaxBytes));
    }

    [Fact]
    public void What_a_handler_keeps_counts_with_its_connection_until_that_is_over()
    {
        HeldMemory? memory = null;
        ScriptedHandler handler = new()
        {
            Open = turn =>
            {
                memory = turn.HeldMemory;
                Assert.Same(memory, turn.HeldMemory);
                return Next.Stay;
            },
        };
        BufferBudget budget = Budget(long.MaxValue);
        StreamSession session = new(
            handler, StreamLimits.Default, InMemoryConnection.Info, new SilentBell(), new Ledger(), new PlainPool(budget));
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        memory!.Add(1000);
        memory.Add(-10);
        Assert.Equal((990, 990, 990), (memory.Bytes, session.HeldBytes, budget.HeldBytes));
        session.Fail(CloseReason.PeerReset);
        session.Closed();
        memory.Add(7);
        Assert.Equal((0, 0, 0), (memory.Bytes, session.HeldBytes, budget.HeldBytes));
    }

    [Fact]
    public void A_session_holds_its_output_and_its_unconsumed_input_and_nothing_when_they_are_gone()
    {
        ScriptedHandler handler = new()
        {
            Bytes = static (input, turn) =>
            {
                if (input.Length < 2000)
                {
                    return Step.More(0);
                }

                turn.Output.Write(input);
                return Step.More(input.Length);
            },
        };
        BufferBudget budget = Budget(long.MaxValue);
        StreamSession session = new(
            handler, StreamLimits.Default, InMemoryConnection.Info, new SilentBell(), new Ledger(), new PlainPool(budget));
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        Assert.Equal(0, session.HeldBytes);
        session.Received(new byte[1500], TimeSpan.Zero);
        Assert.Equal((1500, 1500), (session.HeldBytes, budget.HeldBytes));
        session.Received(new byte[1500], TimeSpan.Zero);
        Assert.Equal((3000, 3000), (session.HeldBytes, budget.HeldBytes));
        session.Sent(session.Outgoing.Length, TimeSpan.Zero);
        Assert.Equal((0, 0), (session.HeldBytes, budget.HeldBytes));
    }

    [Fact]
    public void Who_holds_less_than_when_it_was_chosen_stays()
    {
        StreamSession session = new(
            new ScriptedHandler(), StreamLimits.Default, InMemoryConnection.Info, new SilentBell(), new Ledger(), new PlainPool(Budget(1)));
        session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        session.Received(new byte[5000], TimeSpan.Zero);
        Assert.False(session.TryGiveBack(session.HeldBytes + 1, TimeSpan.Zero));
        Assert.True(session.TryGiveBack(session.HeldBytes, TimeSpan.Zero));
        Assert.Equal((Want.Abort, CloseReason.BufferBudgetExceeded), (session.Wants, session.Reason));
        Assert.False(session.TryGiveBack(0, TimeSpan.Zero));
    }

    private BufferBudget Budget(long bytes)
    {
        BufferBudget? budget = null;
        budget = new BufferBudget(bytes, () => _exceeded.Add(budget!.HeldBytes));
        return budget;
    }

    /// <summary>Arrays of just the length that is asked for.</summary>
    private sealed class PlainPool(BufferBudget budget) : BudgetedPool(budget)
    {
        public override byte[] Rent(int minimumLength)
        {
            Budget.Add(minimumLength);
            return new byte[minimumLength];
        }

        public override void Return(byte[] array, bool clearArray = false) => Budget.Add(-array.Length);
    }
}
