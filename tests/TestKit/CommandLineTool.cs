using System.Diagnostics;

namespace Dataflow.TestKit;

/// <summary>Runs other people's programs, to check our formats against theirs.</summary>
public static class CommandLineTool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The full path of a program on PATH, or where Debian keeps servers that are not on it; or null.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin")) : [])
            .Append("/usr/sbin")
            .SelectMany(folder => new[] { Path.Combine(folder, name), Path.Combine(folder, name + ".exe") })
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a program with these bytes as its standard input.</summary>
    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="InvalidOperationException">It is missing, failed, or took more than a minute; with what it wrote to standard error.</exception>
    public static byte[] Run(string name, string arguments, byte[] input)
    {
        var start = new ProcessStartInfo(Find(name) ?? throw new InvalidOperationException($"There is no program '{name}' on PATH."), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        using var kill = patience.Token.Register(process.Kill);

        // All three pipes at once: a program that fills one while we wait at another would stand still for ever.
        var errors = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        try
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It stopped reading, as programs do that found an error; the exit code and standard error tell it better.
        }

        process.WaitForExit();
        reading.GetAwaiter().GetResult();
        if (process.ExitCode != 0)
        {
            var why = patience.IsCancellationRequested ? $"was ended after {Patience.TotalSeconds:0} s" : $"failed with exit code {process.ExitCode}";
            throw new InvalidOperationException($"{name} {arguments} {why}: {errors.GetAwaiter().GetResult().Trim()}");
        }

        return output.ToArray();
    }
}
