using Dataflow.Hashing;

namespace Dataflow.Engine.Tests.Hashing;

public sealed class KeyRefusalTests
{
    [Theory]
    [InlineData(typeof(byte[]), "byte[] can't be a key: it is an array, and arrays are equal only to themselves. Use Convert.ToHexString(bytes)")]
    [InlineData(typeof(int[]), "int[] can't be a key: it is an array")]
    [InlineData(typeof(List<string>), "List<string> can't be a key: it is a collection")]
    [InlineData(typeof((int, Dictionary<string, int>)), "its member Item2, of type Dictionary<string, int>, is a collection")]
    [InlineData(typeof((string, WithList)), "(string, WithList) can't be a key: its member Item2.Lines, of type List<int>, is a collection")]
    [InlineData(typeof(Tuple<int, Tuple<object>>), "its member Item2.Item1, of type object, may hold values of any type")]
    [InlineData(typeof(IComparable), "may hold values of any type, each with an equality of its own. Declare the concrete type")]
    [InlineData(typeof(Func<int>), "is a delegate")]
    [InlineData(typeof(NoEquals), "NoEquals can't be a key: it is a class without Equals, so each object is equal only to itself")]
    [InlineData(typeof(KeyValuePair<int, NoEquals>), "its member value, of type NoEquals, is a class without Equals")]
    [InlineData(typeof(Approximate), "StableHash.Register<Approximate>(key => ...)")]
    [InlineData(typeof(Approximate?), "Approximate? can't be a key: it has an Equals of its own")]
    [InlineData(typeof(CaseLess), "has an Equals of its own")]
    [InlineData(typeof(Contracted), "has an Equals of its own")]
    [InlineData(typeof(Square), "has an Equals of its own")]
    [InlineData(typeof(Memory<byte>), "has an Equals of its own")]
    public void A_type_that_can_t_be_a_key_is_refused_with_the_member_and_what_to_do(Type type, string part)
    {
        Assert.False(StableHash.CanHash(type, out var why));
        Assert.Contains(part, why);
        Assert.EndsWith(".", why);
    }

    [Fact]
    public void Hashing_a_refused_type_says_the_same()
    {
        Assert.False(StableHash.CanHash(typeof((string, WithList)), out var why));
        Assert.Contains("List<int>", why);
        Assert.Contains("List<int> can't be a key", Assert.Throws<KeyException>(() => StableHash<(string, WithList)>.Of(("a", new WithList(1, [])))).Message);
        Assert.Contains("NoEquals can't be a key", Assert.Throws<KeyException>(() => StableHash<NoEquals>.OfMany([new NoEquals(1)], new uint[1])).Message);
        Assert.Throws<KeyException>(() => KeyHashers.Create<WithList>(compiles: false).Add(0, new WithList(1, [])));
    }

    [Fact]
    public void A_derived_record_that_can_t_be_a_key_is_refused_when_it_is_met()
    {
        Assert.True(StableHash.CanHash(typeof(Shape), out _));
        var error = Assert.Throws<KeyException>(() => StableHash<Shape>.Of(new Square("a", 1)));
        Assert.Contains("Square can't be a key: it has an Equals of its own", error.Message);
    }

    [Fact]
    public void A_hash_registered_after_the_refusal_serves_from_then_on()
    {
        Assert.False(StableHash.CanHash(typeof((Late, int)), out _));
        Assert.Throws<KeyException>(() => StableHash<(Late, int)>.Of((new Late(1), 1)));
        Assert.Throws<KeyException>(() => StableHash<LateStruct?>.Of(new LateStruct(1)));
        StableHash.Register<Late>(late => (ulong)late.Id);
        StableHash.Register<LateStruct>(late => (ulong)late.Id);
        Assert.NotEqual(StableHash<LateStruct?>.Of(new LateStruct(1)), StableHash<LateStruct?>.Of(new LateStruct(2)));
        Assert.True(StableHash.CanHash(typeof((Late, int)), out _));
        Assert.Equal(StableHash<(Late, int)>.Of((new Late(1), 1)), StableHash<(Late, int)>.Of((new Late(1), 1)));
        Assert.NotEqual(StableHash<Late>.Of(new Late(1)), StableHash<Late>.Of(new Late(2)));
    }

    [Fact]
    public void A_hash_in_use_or_built_in_is_not_replaced()
    {
        Assert.Contains("built-in", Assert.Throws<InvalidOperationException>(() => StableHash.Register<string>(text => (ulong)text.Length)).Message);
        Assert.Contains("built-in", Assert.Throws<InvalidOperationException>(() => StableHash.Register<Colour>(_ => 1)).Message);
        StableHash<InUse>.Of(new InUse(1));
        var error = Assert.Throws<InvalidOperationException>(() => StableHash.Register<InUse>(key => (ulong)key.Id));
        Assert.Contains("InUse already has a hash, and keys may have been placed by it", error.Message);
        StableHash.CanHash(typeof(Money), out _);
        Assert.Throws<InvalidOperationException>(() => StableHash.Register<Money>(_ => 1));
    }

    private readonly struct LateStruct(int id) : IEquatable<LateStruct>
    {
        public int Id { get; } = id;

        public bool Equals(LateStruct other) => other.Id == Id;

        public override bool Equals(object? other) => other is LateStruct late && Equals(late);

        public override int GetHashCode() => Id;
    }

    private sealed record InUse(int Id);

    private sealed class Late(int id) : IEquatable<Late>
    {
        public int Id { get; } = id;

        public bool Equals(Late? other) => other?.Id == Id;

        public override bool Equals(object? other) => Equals(other as Late);

        public override int GetHashCode() => Id;
    }
}
