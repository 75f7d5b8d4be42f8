using System.Globalization;

namespace Dataflow.Sql.Parsing;

internal sealed partial class Parser
{
    private DataType TypeName()
    {
        Enter();
        var token = Current;
        if (token.Kind != TokenKind.Word) throw Expected("a type");
        _at++;
        var type = token.Text.ToUpperInvariant() switch
        {
            "BOOLEAN" => DataType.Boolean,
            "TINYINT" or "BYTE" => DataType.TinyInt,
            "SMALLINT" or "SHORT" => DataType.SmallInt,
            "INT" or "INTEGER" => DataType.Int,
            "BIGINT" or "LONG" => DataType.BigInt,
            "FLOAT" or "REAL" => DataType.Float,
            "DOUBLE" => Double(),
            "DECIMAL" or "DEC" or "NUMERIC" => DecimalType(),
            "STRING" => DataType.String,
            "VARCHAR" or "CHAR" or "CHARACTER" => Sized(),
            "BINARY" => DataType.Binary,
            "DATE" => DataType.Date,
            "TIMESTAMP" or "TIMESTAMP_LTZ" => DataType.Timestamp,
            "TIMESTAMP_NTZ" => DataType.TimestampNtz,
            "VOID" => DataType.Null,
            "INTERVAL" => IntervalType(),
            "ARRAY" => ArrayOf(),
            "MAP" => MapOf(),
            "STRUCT" => StructOf(),
            _ => throw new QueryException(
                "UNSUPPORTED_DATATYPE",
                $"There is no type '{token.Text}'. Types are boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s), string, binary, date, timestamp, "
                    + "timestamp_ntz.",
                _text,
                token.Start),
        };
        _depth--;
        return type;
    }

    private DataType Double()
    {
        Accept("PRECISION");
        return DataType.Double;
    }

    private DataType DecimalType()
    {
        if (!Accept("(")) return DataType.Decimal(10, 0);
        var start = Current.Start;
        var precision = Whole();
        var scale = Accept(",") ? Whole() : 0;
        Expect(")");
        if (precision is < 1 or > Sql.DecimalType.MaxPrecision || scale > precision)
        {
            var errorClass = precision > Sql.DecimalType.MaxPrecision ? "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION" : "INVALID_DECIMAL_TYPE";
            throw new QueryException(errorClass, $"decimal({precision},{scale}): the precision is 1 to 38, the scale 0 to the precision.", _text, start);
        }
        return DataType.Decimal(precision, scale);
    }

    // Lengths of varchar and char are not checked when reading, as in Spark's queries.
    private DataType Sized()
    {
        Accept("VARYING");
        if (Accept("("))
        {
            Whole();
            Expect(")");
        }
        return DataType.String;
    }

    private int Whole()
    {
        var isNumber = int.TryParse(Current.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        if (Current.Kind != TokenKind.Number || !isNumber) throw Expected("a whole number");
        _at++;
        return value;
    }

    private DataType IntervalType()
    {
        var start = Current.Start;
        var first = Name("a unit such as DAY", anyWord: true);
        var last = Accept("TO") ? Name("a unit such as SECOND", anyWord: true) : first;
        if (!IntervalText.IsUnit(first) || !IntervalText.IsUnit(last)) throw Wrong("An interval type is INTERVAL YEAR TO MONTH or INTERVAL DAY TO SECOND.", start);
        return first.ToUpperInvariant() is "YEAR" or "MONTH" ? DataType.YearMonthInterval : DataType.DayTimeInterval;
    }

    private DataType ArrayOf()
    {
        Expect("<");
        var element = TypeName();
        CloseAngle();
        return new ArrayType(element);
    }

    private DataType MapOf()
    {
        Expect("<");
        var key = TypeName();
        Expect(",");
        var value = TypeName();
        CloseAngle();
        return new MapType(key, value);
    }

    private DataType StructOf()
    {
        Expect("<");
        var fields = List(() =>
        {
            var name = Name("a field's name", anyWord: true);
            Accept(":");
            return new Field(name, TypeName());
        });
        CloseAngle();
        return new StructType(fields);
    }

    /// <summary>Takes one &gt; , also of &gt;&gt; and &gt;&gt;&gt;, which the lexer reads as operators.</summary>
    private void CloseAngle()
    {
        if (Current.Kind == TokenKind.Symbol && Current.Text is ">>" or ">>>")
        {
            _tokens[_at] = Current with { Text = Current.Text[1..], Start = Current.Start + 1 };
            return;
        }
        Expect(">");
    }
}
