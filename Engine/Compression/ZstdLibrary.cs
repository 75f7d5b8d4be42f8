using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Dataflow.Compression;

/// <summary>The system's libzstd, version 1.4 or later: its functions, and contexts kept for reuse since making one is slow.</summary>
/// <remarks>Looked for once per process. .NET 10 has no Zstandard of its own; Debian has the library always, minimal images do not.</remarks>
internal sealed unsafe class ZstdLibrary
{
    /// <summary>How the library is called on each system.</summary>
    public static readonly string[] Names =
        OperatingSystem.IsWindows() ? ["libzstd.dll", "zstd.dll"]
        : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib", "libzstd.dylib", "/opt/homebrew/lib/libzstd.1.dylib", "/usr/local/lib/libzstd.1.dylib"]
        : ["libzstd.so.1", "libzstd.so"];

    /// <summary>What to do where it is missing.</summary>
    public const string Install =
        "apt-get install libzstd1 (Debian, Ubuntu), apk add zstd-libs (Alpine), dnf install libzstd (Fedora), brew install zstd (macOS), or put libzstd.dll beside the program (Windows)";

    private static readonly Lazy<ZstdLibrary?> Loaded = new(() => Load(Names));

    private readonly delegate* unmanaged[Cdecl]<nuint, nuint> compressBound;
    private readonly delegate* unmanaged[Cdecl]<nuint, uint> isError;
    private readonly delegate* unmanaged[Cdecl]<nuint, byte*> errorName;
    private readonly delegate* unmanaged[Cdecl]<nint> createCompressor, createDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, nuint> freeCompressor, freeDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, int, nuint> compress;
    private readonly delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint> decompress;
    private readonly delegate* unmanaged[Cdecl]<nint, int, nuint> resetCompressor, resetDecompressor;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int, nuint> setParameter;
    private readonly delegate* unmanaged[Cdecl]<nint, Window*, Window*, int, nuint> compressStream;
    private readonly delegate* unmanaged[Cdecl]<nint, Window*, Window*, nuint> decompressStream;
    private readonly ConcurrentBag<Context> compressors = [], decompressors = [];

    private ZstdLibrary(nint library)
    {
        compressBound = (delegate* unmanaged[Cdecl]<nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressBound");
        isError = (delegate* unmanaged[Cdecl]<nuint, uint>)NativeLibrary.GetExport(library, "ZSTD_isError");
        errorName = (delegate* unmanaged[Cdecl]<nuint, byte*>)NativeLibrary.GetExport(library, "ZSTD_getErrorName");
        createCompressor = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "ZSTD_createCCtx");
        createDecompressor = (delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "ZSTD_createDCtx");
        freeCompressor = (delegate* unmanaged[Cdecl]<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeCCtx");
        freeDecompressor = (delegate* unmanaged[Cdecl]<nint, nuint>)NativeLibrary.GetExport(library, "ZSTD_freeDCtx");
        compress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressCCtx");
        decompress = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressDCtx");
        resetCompressor = (delegate* unmanaged[Cdecl]<nint, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_CCtx_reset");
        resetDecompressor = (delegate* unmanaged[Cdecl]<nint, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_DCtx_reset");
        setParameter = (delegate* unmanaged[Cdecl]<nint, int, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_CCtx_setParameter");
        compressStream = (delegate* unmanaged[Cdecl]<nint, Window*, Window*, int, nuint>)NativeLibrary.GetExport(library, "ZSTD_compressStream2");
        decompressStream = (delegate* unmanaged[Cdecl]<nint, Window*, Window*, nuint>)NativeLibrary.GetExport(library, "ZSTD_decompressStream");
        MinLevel = ((delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "ZSTD_minCLevel"))();
        MaxLevel = ((delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(library, "ZSTD_maxCLevel"))();
    }

    /// <summary>The library of this process, or null where there is none.</summary>
    public static ZstdLibrary? Current => Loaded.Value;

    /// <summary>The fastest and the strongest level.</summary>
    public int MinLevel { get; }

    /// <inheritdoc cref="MinLevel"/>
    public int MaxLevel { get; }

    /// <summary>Loads the first library of these names that has all the functions; null when none does.</summary>
    public static ZstdLibrary? Load(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, typeof(ZstdLibrary).Assembly, searchPath: null, out var library))
                continue;
            try
            {
                return new ZstdLibrary(library);
            }
            catch (EntryPointNotFoundException)
            {
                // A release before 1.4: as good as none, and the error for "none" tells what to install.
                NativeLibrary.Free(library);
            }
        }

        return null;
    }

    /// <summary>What <c>ZSTD_EndDirective</c> a streaming call has.</summary>
    public enum Directive
    {
        Continue,
        Flush,
        End,
    }

    public int MaxCompressedLength(int length) => checked((int)compressBound((nuint)length));

    /// <summary>Compresses a block as one frame.</summary>
    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        var context = Rent(compressors, createCompressor, freeCompressor);
        try
        {
            fixed (byte* from = source, to = destination)
            {
                var written = compress(context.Pointer, to, (nuint)destination.Length, from, (nuint)source.Length, level);
                return IsError(written, out var problem)
                    ? throw new InvalidOperationException($"libzstd cannot compress {source.Length:N0} bytes at level {level}: {problem}.")
                    : (int)written;
            }
        }
        finally
        {
            Return(compressors, context);
        }
    }

    /// <summary>Decompresses a block of one or more frames; null and the problem when it is none or does not fit.</summary>
    public int? Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out string? problem)
    {
        var context = Rent(decompressors, createDecompressor, freeDecompressor);
        try
        {
            byte nothing;
            fixed (byte* from = source, to = destination)
            {
                // A null destination is refused by some releases even when there is nothing to write.
                var written = decompress(context.Pointer, to is null ? &nothing : to, (nuint)destination.Length, from, (nuint)source.Length);
                return IsError(written, out problem) ? null : (int)written;
            }
        }
        finally
        {
            Return(decompressors, context);
        }
    }

    /// <summary>A context for compressing a stream at this level; to be disposed of.</summary>
    public Context NewCompressor(int level)
    {
        const int SessionAndParameters = 3, CompressionLevel = 100, ChecksumFlag = 201;
        var context = Rent(compressors, createCompressor, freeCompressor);
        Check(resetCompressor(context.Pointer, SessionAndParameters));
        Check(setParameter(context.Pointer, CompressionLevel, level));
        Check(setParameter(context.Pointer, ChecksumFlag, 1));
        return context;
    }

    /// <summary>Gives a streaming compressor back.</summary>
    public void ReturnCompressor(Context context)
    {
        const int SessionAndParameters = 3;
        Check(resetCompressor(context.Pointer, SessionAndParameters));
        Return(compressors, context);
    }

    /// <summary>A context for decompressing a stream; to be given back.</summary>
    public Context NewDecompressor()
    {
        const int SessionOnly = 1;
        var context = Rent(decompressors, createDecompressor, freeDecompressor);
        Check(resetDecompressor(context.Pointer, SessionOnly));
        return context;
    }

    /// <summary>Gives a streaming decompressor back to the system: its window may be as large as the stream asked for.</summary>
    public static void ReturnDecompressor(Context context) => context.Dispose();

    /// <summary>One step of compressing a stream.</summary>
    /// <returns>Whether all is written out that <paramref name="directive"/> asks for.</returns>
    public bool CompressStep(Context context, ReadOnlySpan<byte> source, ref int read, Span<byte> destination, out int written, Directive directive)
    {
        fixed (byte* from = source, to = destination)
        {
            var input = new Window { Start = from, Length = (nuint)source.Length, Position = (nuint)read };
            var output = new Window { Start = to, Length = (nuint)destination.Length };
            var left = compressStream(context.Pointer, &output, &input, (int)directive);
            if (IsError(left, out var problem))
                throw new InvalidOperationException($"libzstd cannot compress the stream: {problem}.");
            read = (int)input.Position;
            written = (int)output.Position;
            return directive == Directive.Continue ? read == source.Length : left == 0;
        }
    }

    /// <summary>One step of decompressing a stream.</summary>
    /// <returns>Whether a frame just ended; null when the bytes are no such stream, with the problem.</returns>
    public bool? DecompressStep(Context context, ReadOnlySpan<byte> source, ref int read, Span<byte> destination, out int written, out string? problem)
    {
        fixed (byte* from = source, to = destination)
        {
            var input = new Window { Start = from, Length = (nuint)source.Length, Position = (nuint)read };
            var output = new Window { Start = to, Length = (nuint)destination.Length };
            var expected = decompressStream(context.Pointer, &output, &input);
            read = (int)input.Position;
            written = (int)output.Position;
            return IsError(expected, out problem) ? null : expected == 0;
        }
    }

    private void Check(nuint result)
    {
        if (IsError(result, out var problem))
            throw new InvalidOperationException($"libzstd refused a setting: {problem}.");
    }

    private bool IsError(nuint result, [NotNullWhen(true)] out string? problem)
    {
        problem = isError(result) == 0 ? null : Marshal.PtrToStringUTF8((nint)errorName(result)) ?? "unknown error";
        return problem is not null;
    }

    private static Context Rent(ConcurrentBag<Context> pool, delegate* unmanaged[Cdecl]<nint> create, delegate* unmanaged[Cdecl]<nint, nuint> free)
    {
        if (pool.TryTake(out var context))
            return context;
        var pointer = create();
        return pointer != 0 ? new Context(pointer, free) : throw new OutOfMemoryException("libzstd could not allocate a context.");
    }

    private static void Return(ConcurrentBag<Context> pool, Context context)
    {
        if (pool.Count < 2 * Environment.ProcessorCount)
            pool.Add(context);
        else
            context.Dispose();
    }

    /// <summary>A native context, used by one caller at a time.</summary>
    public sealed class Context : SafeHandle
    {
        private readonly delegate* unmanaged[Cdecl]<nint, nuint> free;

        /// <summary>Takes the context over.</summary>
        public Context(nint pointer, delegate* unmanaged[Cdecl]<nint, nuint> free)
            : base(0, ownsHandle: true)
        {
            this.free = free;
            SetHandle(pointer);
        }

        /// <inheritdoc/>
        public override bool IsInvalid => handle == 0;

        /// <summary>The native pointer; the caller keeps this object alive while it uses it.</summary>
        public nint Pointer => handle;

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            free(handle);
            return true;
        }
    }

    // ZSTD_inBuffer and ZSTD_outBuffer, which are laid out alike.
    [StructLayout(LayoutKind.Sequential)]
    private struct Window
    {
        public byte* Start;
        public nuint Length;
        public nuint Position;
    }
}
