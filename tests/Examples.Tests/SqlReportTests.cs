using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public sealed class SqlReportTests
{
    [Fact]
    public void It_reports_the_revenue_of_its_own_data()
    {
        var lines = ExampleProgram.Run("SqlReport");
        Assert.Contains(lines, line => line.StartsWith("== Physical ==", StringComparison.Ordinal));
        Assert.Contains("| nation", string.Join('\n', lines), StringComparison.Ordinal);
        var revenues = lines.TakeLast(10).Select(line => decimal.Parse(line.Split(": ")[1], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(revenues.OrderDescending(), revenues);
        Assert.StartsWith("Argentina: ", lines[^10], StringComparison.Ordinal);
    }

    [Fact]
    public void It_reports_on_files_it_is_given()
    {
        using var folder = new TempDirectory();
        var customers = Path.Combine(folder.Path, "customers.csv");
        File.WriteAllText(customers, "id,name,nation\n1,One,\"Here, or there\"\n");
        Assert.StartsWith("Here, or there: ", ExampleProgram.Run("SqlReport", "--customers", customers)[^1], StringComparison.Ordinal);
    }
}
