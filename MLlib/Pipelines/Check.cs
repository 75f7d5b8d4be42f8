using System.Runtime.CompilerServices;

namespace Dataflow.MLlib;

/// <summary>Checks values of parameters when they are set. Each gives the value back or throws with the parameter's name, the value and what is allowed.</summary>
internal static class Check
{
    public static string Name(string value, [CallerMemberName] string parameter = "")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(value, parameter);
        return value;
    }

    public static ValueList<string> Names(ValueList<string> value, [CallerMemberName] string parameter = "")
    {
        ArgumentNullException.ThrowIfNull(value, parameter);
        foreach (var name in value) ArgumentException.ThrowIfNullOrWhiteSpace(name, parameter);
        return value;
    }

    public static int AtLeast(int value, int least, [CallerMemberName] string parameter = "") =>
        value >= least ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be {least} or more.");

    public static int Between(int value, int least, int most, [CallerMemberName] string parameter = "") =>
        value >= least && value <= most ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be from {least} to {most}.");

    public static double AtLeast(double value, double least, [CallerMemberName] string parameter = "") =>
        value >= least && !double.IsInfinity(value) ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be a number of {least} or more.");

    public static double MoreThan(double value, double bound, [CallerMemberName] string parameter = "") =>
        value > bound && !double.IsInfinity(value) ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be a number greater than {bound}.");

    public static double Between(double value, double least, double most, [CallerMemberName] string parameter = "") =>
        value >= least && value <= most ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be from {least} to {most}.");

    public static T Defined<T>(T value, [CallerMemberName] string parameter = "") where T : struct, Enum =>
        Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
}
