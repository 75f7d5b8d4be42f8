using Dataflow.Sql.Expressions;
using Dataflow.Sql.Physical;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Writing;

/// <summary>How a frame is cut into files.</summary>
/// <param name="Mode">What becomes of what is there.</param>
/// <param name="PartitionColumns">Columns whose values name folders, outermost first.</param>
/// <param name="RowsPerFile">Most rows of a file.</param>
/// <param name="BytesPerFile">A file that has grown so long is followed by another.</param>
internal sealed record WriteOptions(SaveMode Mode, ValueList<string> PartitionColumns, long RowsPerFile = long.MaxValue, long BytesPerFile = long.MaxValue)
{
    /// <summary>Whether nothing is written where there are no rows, instead of a file that shows the columns.</summary>
    public bool LeavesOutEmpty { get; init; }

    /// <summary>Whether files are on the disk before they count.</summary>
    public bool IsDurable { get; init; }

    /// <summary>Whether a task may write several files into one folder.</summary>
    public bool HasLimits => RowsPerFile < long.MaxValue || BytesPerFile < long.MaxValue;
}

/// <summary>A frame as it is written: rows with the columns that stand in files, and then a text for each column that names folders.</summary>
/// <param name="Rows">The rows; those of one folder lie together in each partition.</param>
/// <param name="Schema">The columns that stand in files.</param>
/// <param name="Folders">The columns that name folders.</param>
/// <param name="Options">How rows are cut into files.</param>
internal sealed record WritePlan(PhysicalPlan Rows, Schema Schema, ValueList<string> Folders, WriteOptions Options)
{
    /// <summary>Plans to write a frame.</summary>
    /// <exception cref="QueryException">Columns have one name, or can't name folders.</exception>
    public static WritePlan Of(DataFrame frame, WriteOptions options)
    {
        var schema = frame.Schema;
        if (schema.GroupBy(field => field.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Skip(1).Any()) is { } twice)
            throw new QueryException("COLUMN_ALREADY_EXISTS", $"Two columns are called '{twice.Key}', which files can't have. Give one another name with As or WithColumnRenamed.");
        var planner = frame.Session.Planner();
        if (options.PartitionColumns.Count == 0) return new WritePlan(planner.Plan(frame.Session.Optimise(frame.Plan)), schema, [], options);

        var folders = options.PartitionColumns.ConvertAll(name => PositionOf(schema, name));
        if (folders.Distinct().Count() < folders.Count) throw new QueryException("COLUMN_ALREADY_EXISTS", $"PartitionBy names a column twice: {options.PartitionColumns}.");
        var inFiles = Enumerable.Range(0, schema.Count).Where(i => !folders.Contains(i)).ToArray();
        if (inFiles.Length == 0)
            throw new QueryException("ALL_PARTITION_COLUMNS_NOT_ALLOWED", $"PartitionBy names all columns ({options.PartitionColumns}), so nothing would be left for the files. Leave one out.");
        var columns = frame.Plan.Output;
        var texts = folders.ConvertAll(i => NamedExpression.New(new Cast(columns[i], DataType.String), columns[i].Name));
        var plan = new Project([.. inFiles.Select(i => NamedExpression.Pass(columns[i])), .. texts], frame.Plan);

        // One file is open at a time, whatever the number of folders.
        var rows = planner.Plan(frame.Session.Optimise(plan));
        var sorted = new SortExec([.. rows.Output.Skip(inFiles.Length).Select(column => new SortOrder(column, Descending: false, NullsFirst: true))], null, rows);
        return new WritePlan(sorted, new Schema(inFiles.Select(i => schema[i]).ToArray()), folders.ConvertAll(i => schema[i].Name), options);
    }

    private static int PositionOf(Schema schema, string name)
    {
        var at = schema.IndexOf(name);
        if (at < 0) throw new QueryException("UNRESOLVED_COLUMN", $"PartitionBy names '{name}', which the frame does not have. Its columns: {string.Join(", ", schema.Select(field => field.Name))}.");
        if (schema[at].Type.Kind is TypeKind.Binary or > TypeKind.DayTimeInterval)
            throw new QueryException("INVALID_PARTITION_COLUMN_DATA_TYPE", $"Column '{schema[at].Name}' is {schema[at].Type}, which can't name folders. Partition by numbers, texts, dates or times.");
        return at;
    }
}
