using Dataflow.Sql.Columns;
using Dataflow.Sql.Csv;
using Dataflow.Sql.Json;
using Dataflow.Sql.Sources;

namespace Dataflow.MLlib.Sources;

/// <summary>LIBSVM files as a table of labels and sparse vectors. Large files are read in parts of 32 MB.</summary>
internal sealed class LibSvmTable : ITable
{
    private const long SplitBytes = 32L << 20;

    private readonly FolderColumns _folders;
    private readonly int _features;
    private readonly int _firstPosition;
    private readonly int _own;
    private readonly long _splitBytes;

    private LibSvmTable(string name, FolderColumns folders, int features, int firstPosition, bool queries, long splitBytes)
    {
        _splitBytes = splitBytes;
        Name = name;
        _folders = folders;
        _features = features;
        _firstPosition = firstPosition;
        Field[] own = [new("label", DataType.Double, Nullable: false), new("features", DataType.Vector, Nullable: false)];
        if (queries) own = [.. own, new("qid", DataType.BigInt, Nullable: false)];
        _own = own.Length;
        Schema = folders.After(new Schema(own));
        Statistics = new TableStatistics(-1, folders.Files.Sum(file => file.Length));
    }

    public string Name { get; }

    public Schema Schema { get; }

    public TableStatistics Statistics { get; }

    public static LibSvmTable Open(string path, int features, bool queries, string timeZone, int firstPosition = 1, long splitBytes = SplitBytes) =>
        new(path, FolderColumns.Find(path, timeZone), features, firstPosition, queries, splitBytes);

    public ITableScan Scan(ScanRequest request) =>
        _folders.Scan(request, _own, (files, fields) => new LineScan(LineScan.Cut(files, _splitBytes), new LibSvmParser([.. fields], _features, _firstPosition, _own == 3)));
}
