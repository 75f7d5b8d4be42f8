namespace Dataflow.Sql.ParquetMetadata;

/// <summary>Makes fields with SQL types of the schema tree in a footer. (Apache Parquet format, LogicalTypes.md)</summary>
/// <remarks>
/// Unsigned integers take the next wider type, and those of 64 bits decimal(20,0). Nanoseconds become microseconds, rounded down. INT96 is a
/// timestamp. A time of day is the integer it is stored as. Bytes that are not said to be text are binary.
/// </remarks>
internal sealed class FileSchema
{
    private readonly SchemaNode[] _nodes;
    private readonly List<FileField> _fields = [];
    private int _at;
    private int _leaf;

    private FileSchema(SchemaNode[] nodes) => _nodes = nodes;

    /// <summary>The fields directly below the root.</summary>
    /// <exception cref="CorruptDataException">The nodes are no tree.</exception>
    public static FileField[] FieldsOf(FileMetadata file)
    {
        var schema = new FileSchema(file.Nodes);
        schema.Walk();
        return [.. schema._fields];
    }

    private void Walk()
    {
        var root = _nodes[_at++];
        for (var i = 0; i < root.Children; i++)
        {
            var leaf = _leaf;
            var node = Peek();
            if (node.Children == 0 && node.Stored is not null && node.Repetition != Repetition.Repeated)
            {
                _at++;
                _leaf++;
                _fields.Add(FieldOf(node, leaf));
                continue;
            }
            var type = TypeOf(0);
            _fields.Add(new FileField(new Field(node.Name, type, node.Repetition != Repetition.Required), null, $"it holds nested values ({type}), which can't be read yet"));
        }
        if (_at != _nodes.Length) throw new CorruptDataException("parquet", 0, $"the schema has {_nodes.Length} nodes, but its tree only {_at}");
    }

    private SchemaNode Peek() => _at < _nodes.Length ? _nodes[_at] : throw new CorruptDataException("parquet", 0, $"the schema has {_nodes.Length} nodes, but its tree more");

    private static FileField FieldOf(SchemaNode node, int leaf)
    {
        var (type, form, problem) = Map(node);
        var field = new Field(node.Name, type, node.Repetition == Repetition.Optional);
        return problem is null
            ? new FileField(field, new StoredColumn(leaf, node.Stored!.Value, node.Length, node.Repetition == Repetition.Optional, type, form))
            : new FileField(field, null, problem);
    }

    // The type of the node at _at, which is passed over with all below it.
    private DataType TypeOf(int depth)
    {
        if (depth > 64) throw new CorruptDataException("parquet", 0, "the schema is nested deeper than 64 levels");
        var node = Peek();
        _at++;
        var type = node.Children > 0 ? GroupOf(node, depth) : LeafOf(node);
        return node.Repetition == Repetition.Repeated && depth == 0 ? new ArrayType(type, ContainsNull: false) : type;
    }

    private DataType LeafOf(SchemaNode node)
    {
        if (node.Stored is null) return new StructType([]);
        _leaf++;
        return Map(node).Type;
    }

    private DataType GroupOf(SchemaNode node, int depth)
    {
        var isList = node.Logical.Kind == LogicalKind.List || node.Converted == ConvertedKind.List;
        var isMap = node.Logical.Kind == LogicalKind.Map || node.Converted is ConvertedKind.Map or ConvertedKind.MapKeyValue;
        if (isList && node.Children == 1)
        {
            // Three levels as the format wants it, or two as older writers did: then the repeated node is the element.
            var repeated = Peek();
            if (repeated.Children != 1) return new ArrayType(TypeOf(depth + 1));
            _at++;
            var element = Peek();
            return new ArrayType(TypeOf(depth + 2), element.Repetition != Repetition.Required);
        }
        if (isMap && node.Children == 1 && Peek().Children == 2)
        {
            _at++;
            var key = TypeOf(depth + 2);
            var value = Peek();
            return new MapType(key, TypeOf(depth + 2), value.Repetition != Repetition.Required);
        }
        var fields = new List<Field>();
        for (var i = 0; i < node.Children; i++)
        {
            var child = Peek();
            fields.Add(new Field(child.Name, TypeOf(depth + 1), child.Repetition != Repetition.Required));
        }
        return new StructType([.. fields]);
    }

    private static (DataType Type, ValueForm Form, string? Problem) Map(SchemaNode node)
    {
        if (node.Stored == StoredKind.FixedBytes && node.Length is <= 0 or > 1 << 20)
            throw new CorruptDataException("parquet", 0, $"column '{node.Name}' has values of {node.Length} bytes");
        if (node.Logical.Kind == LogicalKind.Decimal || node.Converted == ConvertedKind.Decimal) return MapDecimal(node);
        if (node.Logical.Kind == LogicalKind.Unknown) return (DataType.Null, ValueForm.Same, null);
        return node.Stored switch
        {
            StoredKind.Boolean => (DataType.Boolean, ValueForm.Same, null),
            StoredKind.Int32 => MapInt32(node),
            StoredKind.Int64 => MapInt64(node),
            StoredKind.Int96 => (DataType.Timestamp, ValueForm.Int96ToMicros, null),
            StoredKind.Float => (DataType.Float, ValueForm.Same, null),
            StoredKind.Double => (DataType.Double, ValueForm.Same, null),
            StoredKind.FixedBytes when node.Logical.Kind == LogicalKind.Float16 && node.Length == 2 => (DataType.Float, ValueForm.HalfToFloat, null),
            StoredKind.FixedBytes => (DataType.Binary, ValueForm.FixedToView, null),
            _ => (IsText(node) ? DataType.String : DataType.Binary, ValueForm.Same, null),
        };
    }

    private static bool IsText(SchemaNode node) =>
        node.Logical.Kind is LogicalKind.String or LogicalKind.Enum or LogicalKind.Json || node.Converted is ConvertedKind.Utf8 or ConvertedKind.Enum or ConvertedKind.Json;

    private static (DataType Type, ValueForm Form, string? Problem) MapInt32(SchemaNode node) => (node.Logical, node.Converted) switch
    {
        ({ Kind: LogicalKind.Date }, _) or (_, ConvertedKind.Date) => (DataType.Date, ValueForm.Same, null),
        ({ Kind: LogicalKind.Integer, Bits: 8, IsSigned: true }, _) => (DataType.TinyInt, ValueForm.Int32ToInt8, null),
        ({ Kind: LogicalKind.Integer, Bits: 16, IsSigned: true }, _) => (DataType.SmallInt, ValueForm.Int32ToInt16, null),
        ({ Kind: LogicalKind.Integer, Bits: 8 }, _) => (DataType.SmallInt, ValueForm.Int32ToInt16, null),
        ({ Kind: LogicalKind.Integer, Bits: 32, IsSigned: false }, _) => (DataType.BigInt, ValueForm.UInt32ToInt64, null),
        ({ Kind: LogicalKind.Integer }, _) => (DataType.Int, ValueForm.Same, null),
        (_, ConvertedKind.Int8) => (DataType.TinyInt, ValueForm.Int32ToInt8, null),
        (_, ConvertedKind.Int16 or ConvertedKind.UInt8) => (DataType.SmallInt, ValueForm.Int32ToInt16, null),
        (_, ConvertedKind.UInt32) => (DataType.BigInt, ValueForm.UInt32ToInt64, null),
        _ => (DataType.Int, ValueForm.Same, null),
    };

    private static (DataType Type, ValueForm Form, string? Problem) MapInt64(SchemaNode node) => (node.Logical, node.Converted) switch
    {
        ({ Kind: LogicalKind.Timestamp }, _) => (node.Logical.IsUtc ? DataType.Timestamp : DataType.TimestampNtz, UnitForm(node.Logical.Unit), null),
        ({ Kind: LogicalKind.Integer, Bits: 64, IsSigned: false }, _) => (DataType.Decimal(20, 0), ValueForm.UInt64ToInt128, null),
        ({ Kind: LogicalKind.None }, ConvertedKind.UInt64) => (DataType.Decimal(20, 0), ValueForm.UInt64ToInt128, null),
        ({ Kind: LogicalKind.None }, ConvertedKind.TimestampMillis) => (DataType.Timestamp, ValueForm.MillisToMicros, null),
        ({ Kind: LogicalKind.None }, ConvertedKind.TimestampMicros) => (DataType.Timestamp, ValueForm.Same, null),
        _ => (DataType.BigInt, ValueForm.Same, null),
    };

    private static ValueForm UnitForm(TimeUnit unit) => unit switch
    {
        TimeUnit.Millis => ValueForm.MillisToMicros,
        TimeUnit.Nanos => ValueForm.NanosToMicros,
        _ => ValueForm.Same,
    };

    private static (DataType Type, ValueForm Form, string? Problem) MapDecimal(SchemaNode node)
    {
        var (precision, scale) = node.Logical.Kind == LogicalKind.Decimal ? (node.Logical.Precision, node.Logical.Scale) : (node.Precision, node.Scale);
        if (precision < 1 || scale < 0 || scale > precision) throw new CorruptDataException("parquet", 0, $"column '{node.Name}' is a decimal({precision},{scale})");
        if (precision > DecimalType.MaxPrecision)
            return (DataType.Binary, ValueForm.Same, $"it is a decimal({precision},{scale}), and decimals have at most {DecimalType.MaxPrecision} digits");
        var type = DataType.Decimal(precision, scale);
        var isNarrow = type.Physical == PhysicalType.Int64;
        ValueForm? form = node.Stored switch
        {
            StoredKind.Int32 when isNarrow => ValueForm.Int32ToInt64,
            StoredKind.Int64 => isNarrow ? ValueForm.Same : ValueForm.Int64ToInt128,
            StoredKind.FixedBytes => isNarrow ? ValueForm.FixedToInt64 : ValueForm.FixedToInt128,
            StoredKind.Bytes => isNarrow ? ValueForm.BytesToInt64 : ValueForm.BytesToInt128,
            _ => null,
        };
        return form is { } found ? (type, found, null) : (type, ValueForm.Same, $"it is a {type} stored as {node.Stored}, which is no form of decimals");
    }
}
