namespace Dataflow.Engine.Tests.Fusion;

public class DifferentialTests
{
    public static TheoryData<int, Mode> Seeds
    {
        get
        {
            var data = new TheoryData<int, Mode>();
            foreach (var seed in Enumerable.Range(1, 8))
            {
                foreach (var mode in Enum.GetValues<Mode>()) data.Add(seed, mode);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Random_chains_give_what_LINQ_gives(int seed, Mode mode)
    {
        var random = new Random(seed);
        for (var round = 0; round < 12; round++)
        {
            var items = new int[random.Next(3) == 0 ? random.Next(4) : random.Next(2000)];
            for (var i = 0; i < items.Length; i++) items[i] = random.Next(-1000, 1000);
            var chain = RandomChain.Start(items, random.Next(3) == 0 ? random.Next(1, 8) : random.Next(1, 3000));
            for (var i = random.Next(1, 8); i > 0; i--) chain = chain.Next(random);
            try
            {
                chain.Check(mode);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"Seed {seed}, round {round}, {mode}: {chain.Text}\n{e}");
            }
        }
    }
}
