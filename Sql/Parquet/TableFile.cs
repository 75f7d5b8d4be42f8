using Dataflow.Files;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.ParquetMetadata;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>A file of a table: what its footer says.</summary>
/// <param name="Entry">The file.</param>
/// <param name="Metadata">Its footer.</param>
/// <param name="Fields">Its fields.</param>
/// <param name="Folders">What the names of its folders say, for each column that folders of the table name.</param>
internal sealed record TableFile(FileEntry Entry, FileMetadata Metadata, FileField[] Fields, ValueList<Literal> Folders)
{
    /// <summary>Reads the footer of a file.</summary>
    /// <param name="entry">The file.</param>
    /// <param name="folders">What the names of its folders say.</param>
    /// <exception cref="CorruptDataException">It is no Parquet file, or a damaged one.</exception>
    public static TableFile Read(FileEntry entry, ValueList<Literal> folders)
    {
        var metadata = Footer.Read(entry);
        try
        {
            var fields = FileSchema.FieldsOf(metadata);
            CheckRows(metadata, fields);
            return new TableFile(entry, metadata, fields, folders);
        }
        catch (CorruptDataException error)
        {
            throw new CorruptDataException("parquet", entry.Length, $"in the footer, {error.Problem ?? error.Message}", entry.Path, error);
        }
    }

    // Counts that disagree would only be noticed when rows are read, and not at all by queries that only count them.
    private static void CheckRows(FileMetadata metadata, FileField[] fields)
    {
        foreach (var group in metadata.RowGroups)
        {
            if (group.Rows > int.MaxValue) throw new CorruptDataException("parquet", 0, $"row group {group.Ordinal} should have {group.Rows:N0} rows, more than any has");
            foreach (var field in fields)
            {
                if (field.Column is { } column && group.Chunks[column.Leaf].Values != group.Rows)
                    throw new CorruptDataException("parquet", 0, $"column '{field.Field.Name}' of row group {group.Ordinal} has {group.Chunks[column.Leaf].Values:N0} values for {group.Rows:N0} rows");
            }
        }
    }

    /// <summary>The field of a name, first as it is written, then without regard to case; -1 if there is none.</summary>
    public int IndexOf(string name)
    {
        var found = -1;
        for (var i = 0; i < Fields.Length; i++)
        {
            if (Fields[i].Field.Name == name) return i;
            if (found < 0 && string.Equals(Fields[i].Field.Name, name, StringComparison.OrdinalIgnoreCase)) found = i;
        }
        return found;
    }
}

/// <summary>Makes one table of files that need not be quite alike.</summary>
internal static class FileMerge
{
    /// <summary>The schema of the table: that of the first file, with columns nullable if they are in any file, and then the columns that folders name.</summary>
    /// <exception cref="QueryException">A file stores a column in a way that can't be read as the first one's.</exception>
    public static Schema Schema(TableFile[] files, ValueList<Field> folders)
    {
        var first = files[0];
        var fields = new List<Field>();
        for (var i = 0; i < first.Fields.Length; i++)
        {
            var field = first.Fields[i].Field;
            if (IndexOf(folders, field.Name) >= 0) continue;
            foreach (var file in files)
            {
                var at = file == first ? i : file.IndexOf(field.Name);
                if (at < 0 || file.Fields[at].Field.Nullable) field = field with { Nullable = true };
                if (at >= 0) Check(first, first.Fields[i], file, file.Fields[at]);
            }
            fields.Add(field);
        }
        return new Schema(new ValueList<Field>([.. fields, .. folders]));
    }

    /// <summary>How a file stores some fields of the table.</summary>
    public static ValueList<SplitColumn> Columns(Schema schema, TableFile file, ValueList<int> fields) => fields.ConvertAll(field =>
    {
        var (name, type) = (schema[field].Name, schema[field].Type);
        var folder = field - (schema.Count - file.Folders.Count);
        if (folder >= 0) return new SplitColumn(field, name, type, null, null) { Constant = file.Folders[folder] };
        var at = field < file.Fields.Length && file.Fields[field].Field.Name == name ? field : file.IndexOf(name);
        return new SplitColumn(field, name, type, at < 0 ? null : file.Fields[at].Column?.As(type), null);
    });

    private static int IndexOf(ValueList<Field> fields, string name)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            if (string.Equals(fields[i].Name, name, StringComparison.OrdinalIgnoreCase)) return i;
        }
        return -1;
    }

    private static void Check(TableFile first, FileField wanted, TableFile file, FileField found)
    {
        if (wanted.Column is null || found.Column?.As(wanted.Field.Type) is not null) return;
        throw new QueryException(
            "CANNOT_MERGE_SCHEMAS",
            $"Column '{wanted.Field.Name}' is {wanted.Field.Type} in '{first.Entry.Path}' and {found.Field.Type} in '{file.Entry.Path}'. Read the files as separate tables, with casts.");
    }
}
