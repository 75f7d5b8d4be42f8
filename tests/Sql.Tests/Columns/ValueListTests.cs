namespace Dataflow.Sql.Tests.Columns;

public class ValueListTests
{
    [Fact]
    public void Lists_with_equal_elements_are_equal()
    {
        ValueList<string> left = ["a", "b"];
        var right = new ValueList<string>(["a", "b"]);
        Assert.Equal(left, right);
        Assert.Equal(left.GetHashCode(), right.GetHashCode());
        Assert.NotEqual(left, right.Add("c"));
    }

    [Fact]
    public void Types_are_equal_by_value()
    {
        Assert.Equal(DataType.Decimal(12, 2), DataType.Decimal(12, 2));
        Assert.NotEqual<DataType>(DataType.Decimal(12, 2), DataType.Decimal(12, 3));
        Assert.Equal("struct<a:int,b:array<string>>", new StructType([new Field("a", DataType.Int), new Field("b", new ArrayType(DataType.String))]).SqlName);
    }
}
