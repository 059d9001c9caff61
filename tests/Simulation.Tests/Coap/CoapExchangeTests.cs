using System.Diagnostics;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>
/// What CoAP promises, at 30% loss, 10% duplication and reordering: each exchange ends in one answer or one reported failure, no
/// effect happens twice, no answer goes to another question, and nothing is left in the end.
/// </summary>
public sealed class CoapExchangeTests(ITestOutputHelper output)
{
    private const int SeedsTillFound = 20;

    [Fact]
    public void Small_worlds_of_fresh_seeds() => Simulation.RunSeeds(50, static network => new CoapWorld(network, 10, 20).RunAndCheck());

    [Fact]
    public void A_million_exchanges()
    {
        long began = Stopwatch.GetTimestamp();
        Simulation.RunSeeds(1, network =>
        {
            CoapWorld world = new(network, 4_000, 250);
            world.RunAndCheck();
            int answered = world.Clients.Sum(static client => client.Answered);
            int failed = world.Clients.Sum(static client => client.Failed);
            Assert.Equal(1_000_000, answered + failed);
            output.WriteLine($"seed {network.Seed}: {answered} answered, {failed} failed, {network.Now} of their time");
        });
        output.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s of ours");
    }

    [Theory]
    [InlineData(CoapMutation.ForgetsExchanges)]
    [InlineData(CoapMutation.IgnoresTokens)]
    [InlineData(CoapMutation.NeverBacksOff)]
    internal void What_is_broken_on_purpose_is_found_within_20_seeds_and_its_seed_finds_it_again(CoapMutation mutation)
    {
        void Broken(SimulatedNetwork network) => new CoapWorld(
            network, 10, 20, mutation == CoapMutation.ForgetsExchanges ? 0 : 1 << 20, mutation).RunAndCheck();
        SimulationFailedException found = Assert.Throws<SimulationFailedException>(() =>
        {
            for (ulong seed = 0; seed < SeedsTillFound; seed++)
            {
                Simulation.Run(seed, Broken);
            }
        });
        output.WriteLine(found.Message);
        Assert.Equal(found.Message, Assert.Throws<SimulationFailedException>(() => Simulation.Run(found.Seed, Broken)).Message);
        Simulation.Run(found.Seed, static network => new CoapWorld(network, 10, 20).RunAndCheck());
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        static ulong Trace(ulong seed)
        {
            SimulatedNetwork network = new(seed);
            new CoapWorld(network, 10, 20).RunAndCheck();
            return network.TraceHash;
        }

        Assert.Equal(Trace(7), Trace(7));
        Assert.NotEqual(Trace(7), Trace(8));
    }
}
