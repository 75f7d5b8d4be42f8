using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Compression;

public sealed class SkipReasonTests
{
    [Fact]
    public void What_is_missing_is_named_with_its_package_but_never_skipped_in_ci()
    {
        Assert.Equal("Needs the program 'lz4', which is not here. To run this test: apt-get install lz4", SkipReason.Unless(false, "the program 'lz4'", "lz4", isCi: false));
        Assert.Null(SkipReason.Unless(false, "the program 'lz4'", "lz4", isCi: true));
        Assert.Null(SkipReason.Unless(true, "the program 'lz4'", "lz4", isCi: false));
    }
}
