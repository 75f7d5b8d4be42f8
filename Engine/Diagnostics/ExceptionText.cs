using System.Globalization;
using Dataflow.Serialization;

namespace Dataflow.Diagnostics;

/// <summary>Reads the texts of exceptions of the user's classes, whose members may be anything: one that throws is told, one without end is cut.</summary>
internal static class ExceptionText
{
    /// <summary>Characters of a message or of frames at most.</summary>
    public const int Most = 64 * 1024;

    /// <summary>The name of its class without the namespace: of the user's class, wherever it was thrown.</summary>
    public static string NameOf(Exception exception)
    {
        if (exception is not RemoteTaskException { RemoteType: var type }) return TypeNames.Short(exception.GetType());
        var generic = type.IndexOf('<', StringComparison.Ordinal);
        return type[(type.AsSpan(0, generic < 0 ? type.Length : generic).LastIndexOf('.') + 1)..];
    }

    /// <summary>The exception, or in its place one with its text if its own can't be had.</summary>
    public static Exception Loggable(Exception exception)
    {
        try
        {
            if (exception.ToString().Length <= Most) return exception;
        }
        catch (Exception)
        {
            // Told by its parts below.
        }
        return new InvalidOperationException(Cut(UserStackTrace.Fold(exception)));
    }

    /// <summary>Its message.</summary>
    public static string MessageOf(Exception exception) => Read(exception, nameof(Exception.Message), static error => error.Message);

    /// <summary>Its frames, as .NET prints them; empty if it was never thrown.</summary>
    public static string FramesOf(Exception exception) => Read(exception, nameof(Exception.StackTrace), static error => error.StackTrace);

    /// <summary>A text of at most so many characters, and how many are left out.</summary>
    public static string Cut(string text, int most = Most)
    {
        if (text.Length <= most) return text;
        var end = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        return string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, end)} ... {text.Length - end:N0} more characters");
    }

    private static string Read(Exception exception, string member, Func<Exception, string?> read)
    {
        try
        {
            return Cut(read(exception) ?? "");
        }
        catch (Exception error)
        {
            return $"({member} of this exception threw {TypeNames.Short(error.GetType())} itself)";
        }
    }
}
