using System.Globalization;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.Tests.Numerics;

/// <summary>What is run with and without instruction sets.</summary>
internal static class NumericsChecks
{
    public static string Fingerprint()
    {
        var random = new Random(11);
        var hash = 14695981039346656037UL;
        for (var i = 0; i < 200_000; i++)
        {
            var x = (random.NextDouble() - 0.5) * 100;
            Mix(Elementary.Exp(x));
            Mix(Elementary.Log(Math.Abs(x)));
            Mix(Elementary.Sigmoid(x));
        }
        return hash.ToString("x16", CultureInfo.InvariantCulture);

        void Mix(double value) => hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(value)) * 1099511628211UL;
    }
}
