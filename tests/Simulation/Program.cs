using System.Globalization;
using Dataflow.Simulation;

if (!Arguments.TryParse(args, out var arguments, out var mistake))
{
    Console.Error.WriteLine(mistake);
    Console.Error.WriteLine(Arguments.Help);
    return 2;
}
if (arguments.WantsHelp)
{
    Console.WriteLine(Arguments.Help);
    return 0;
}
if (arguments.Seed is { } seed)
{
    var outcome = SimulatedRun.Play(seed, arguments.Plant, tells: true);
    Console.Write(outcome.Text);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {outcome.Jobs} jobs, {outcome.Tasks} tasks, {outcome.Faults} faults, hash {outcome.Hash:x16}"));
    Console.WriteLine(outcome.Problem ?? "clean");
    return outcome.Problem is null ? 0 : 1;
}
return new Campaign(arguments).Run(Console.Out) ? 0 : 1;
