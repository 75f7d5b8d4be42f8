using Dataflow.MLlib.Sources;

namespace Dataflow.MLlib;

/// <summary>How an array of NumPy is read as a frame.</summary>
public sealed record NpyOptions
{
    /// <summary>A file of one label a row, of any number type; null for none.</summary>
    public string? Labels { get; init; }

    /// <summary>What the column of labels is called.</summary>
    public string LabelColumn { get; init => field = Check.Name(value); } = "label";

    /// <summary>The name of one vector column for all features; null makes a column of each: <c>f0, f1 ...</c></summary>
    public string? VectorColumn { get; init; }

    /// <summary>Partitions; 0 chooses by size.</summary>
    public int Partitions { get; init => field = Check.AtLeast(value, 0); }
}

/// <summary>Arrays of NumPy as frames.</summary>
public static class NpyExtensions
{
    extension(DataFrameReader reader)
    {
        /// <summary>An array that <c>numpy.save</c> wrote: one or two dimensions, numbers of 8 to 64 bits, little-endian, in C order.</summary>
        /// <remarks>Reads the header now, and rows when they are asked for, in pieces by all tasks. 32-bit floats stay such; other numbers become 64-bit.</remarks>
        /// <param name="path">The file; on a cluster on storage that all workers see.</param>
        /// <param name="options">Labels, names; null for the defaults.</param>
        /// <exception cref="InvalidDataException">It is no such file, or cut short.</exception>
        /// <exception cref="IOException">It can't be read.</exception>
        public DataFrame Npy(string path, NpyOptions? options = null)
        {
            ArgumentNullException.ThrowIfNull(reader);
            ArgumentException.ThrowIfNullOrWhiteSpace(path);
            return reader.Table(new NpyTable(path, options ?? new(), Environment.ProcessorCount));
        }
    }
}
