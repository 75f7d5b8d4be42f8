using System.Diagnostics;
using Dataflow.TestKit;

namespace Dataflow.Cluster.Tests;

/// <summary>A disk of its own for one test, in memory, which can be filled to its last byte. Only root may mount one.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TempDirectory _folder = new();

    public SmallDisk(int megabytes) => Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", _folder.Path);

    public string Path => _folder.Path;

    public void Fill()
    {
        using var file = File.OpenHandle(System.IO.Path.Combine(Path, "filler"), FileMode.Create, FileAccess.Write);
        var bytes = new byte[64 << 10];
        for (var offset = 0L; ;)
        {
            try
            {
                RandomAccess.Write(file, bytes, offset);
                offset += bytes.Length;
            }
            catch (IOException) when (bytes.Length > 1)
            {
                bytes = new byte[bytes.Length / 2];
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        Run("umount", "--lazy", Path);
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
    }
}

/// <summary>A fact that mounts a disk, and is skipped where it may not. That a write fails is tested everywhere, with a disk that only says that it is full.</summary>
internal sealed class FactOnSmallDiskAttribute : FactAttribute
{
    public FactOnSmallDiskAttribute()
    {
        try
        {
            new SmallDisk(megabytes: 1).Dispose();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            Skip = $"Needs to mount a disk in memory, which root may: {e.Message}";
        }
    }
}
