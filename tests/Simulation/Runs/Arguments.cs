using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Dataflow.Simulation;

/// <summary>What the command line asks for.</summary>
internal sealed record Arguments
{
    public const string Help = """
        Runs a whole cluster in one process on virtual time, by seeds, with faults.
          --seeds N        runs N seeds (default 1000)
          --first N        the first of them (default 1)
          --seed N         runs one seed and tells what happens
          --plant FAULT    makes a mistake on purpose, to see that it is found: drop-fetch-failures, reuse-epochs, two-commits
          --at-once N      runs at the same time (default: processors)
        Exit code 0: all clean. 1: a seed failed; it is named. 2: the command line makes no sense.
        """;

    public int Seeds { get; private set; } = 1000;

    public int First { get; private set; } = 1;

    public int? Seed { get; private set; }

    public int AtOnce { get; private set; } = Environment.ProcessorCount;

    public PlantedFault Plant { get; private set; }

    public bool WantsHelp { get; private set; }

    public static bool TryParse(string[] args, out Arguments arguments, [NotNullWhen(false)] out string? mistake)
    {
        var parsed = arguments = new Arguments();
        mistake = null;
        for (var i = 0; i < args.Length && mistake is null; i++)
        {
            if (args[i] is "--help" or "-h")
            {
                arguments.WantsHelp = true;
                continue;
            }
            if (i + 1 == args.Length)
            {
                mistake = $"'{args[i]}' is no option, or lacks its value.";
                break;
            }
            var value = args[++i];
            mistake = args[i - 1] switch
            {
                "--seeds" => Number(value, 1, number => parsed.Seeds = number),
                "--first" => Number(value, 0, number => parsed.First = number),
                "--seed" => Number(value, 0, number => parsed.Seed = number),
                "--at-once" => Number(value, 1, number => parsed.AtOnce = number),
                "--plant" => Fault(value, arguments),
                var other => $"'{other}' is no option.",
            };
        }
        return mistake is null;
    }

    private static string? Number(string text, int least, Action<int> set)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < least) return $"'{text}' is no number from {least} on.";
        set(number);
        return null;
    }

    private static string? Fault(string text, Arguments arguments)
    {
        arguments.Plant = text switch
        {
            "drop-fetch-failures" => PlantedFault.DropFetchFailures,
            "reuse-epochs" => PlantedFault.ReuseEpochs,
            "two-commits" => PlantedFault.TwoCommits,
            _ => PlantedFault.None,
        };
        return arguments.Plant == PlantedFault.None ? $"'{text}' is no fault that can be planted: drop-fetch-failures, reuse-epochs, two-commits." : null;
    }
}
