namespace Dataflow.Diagnostics;

/// <summary>Things a user should know about the process the engine runs in, said once, in one line on the error output.</summary>
internal static class RuntimeNotice
{
    private static int _dynamicCode;

    /// <summary>Where lines go; null for the error output.</summary>
    internal static Action<string>? Output { get; set; }

    /// <summary>The process can't make code at run time, which is what PublishAot sets, also when the program is only run.</summary>
    public static void WithoutDynamicCode()
    {
        if (Interlocked.Exchange(ref _dynamicCode, 1) == 0)
        {
            Write("Dataflow runs without compiled operators and codecs, several times slower, since dynamic code is switched off in this process. "
                + "To switch it on: <PublishAot>false</PublishAot> in the project file, or '#:property PublishAot=false' in a single-file program.");
        }
    }

    /// <summary>Says everything again.</summary>
    internal static void Reset() => _dynamicCode = 0;

    private static void Write(string line)
    {
        if (Output is { } output) output(line);
        else Console.Error.WriteLine(line);
    }
}
