using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dataflow.Cluster;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class ControlMessageTests
{
    public static TheoryData<string> Kinds => [.. typeof(ControlMessage).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType.Name)];

    [Fact]
    public void Every_message_is_in_the_list_of_kinds()
    {
        var listed = typeof(ControlMessage).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType).ToHashSet();
        var there = typeof(ControlMessage).Assembly.GetTypes().Where(type => type.BaseType == typeof(ControlMessage));
        Assert.Empty(there.Except(listed));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_of_every_kind_comes_back_as_it_was(string kind)
    {
        var type = typeof(ControlMessage).Assembly.GetType($"Dataflow.Cluster.{kind}")!;
        for (var seed = 0; seed < 20; seed++)
        {
            var message = (ControlMessage)Sample(type, new Random(seed))!;
            var bytes = Encode(message);
            var back = Assert.Single(ControlFrame.Decode(bytes));
            Assert.IsType(type, back);
            Assert.True(bytes.AsSpan().SequenceEqual(Encode(back)), $"seed {seed}: {Encoding.UTF8.GetString(bytes)}");
            // The text of a record names every member that is no collection.
            if (!type.GetProperties().Any(property => property.PropertyType != typeof(string) && property.PropertyType.IsAssignableTo(typeof(System.Collections.IEnumerable))))
                Assert.Equal(message.ToString(), back.ToString());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("{}")]
    [InlineData("[{}]")]
    [InlineData("""[{"t":"no-such-kind"}]""")]
    [InlineData("""[{"t":"drop-cached"}]""")]
    [InlineData("""[{"t":"drop-cached","Rdd":"7"}]""")]
    [InlineData("""[{"t":"drop-cached","Rdd":7,"More":1}]""")]
    [InlineData("""[{"Rdd":7,"t":"drop-cached"}]""")]
    [InlineData("""[{"t":"drop-cached","Rdd":99999999999}]""")]
    [InlineData("""[{"t":"kill","Task":1,"Reason":null}]""")]
    [InlineData("""[{"t":"binary","Binary":1,"Hash":"***","Length":1,"Bytes":null}]""")]
    [InlineData("""[{"t":"drop-cached","Rdd":7}""")]
    public void What_is_no_frame_of_this_version_is_refused(string frame) =>
        Assert.Throws<InvalidDataException>(() => ControlFrame.Decode(Encoding.UTF8.GetBytes(frame)));

    [Fact]
    public void Damaged_frames_are_refused_or_read_but_never_worse()
    {
        var types = typeof(ControlMessage).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType).ToArray();
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var bytes = Encode((ControlMessage)Sample(types[seed % types.Length], random)!);
            for (var i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                ControlFrame.Decode(bytes);
            }
            catch (InvalidDataException)
            {
                // As it should be.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: {error}");
            }
        }
    }

    private static byte[] Encode(ControlMessage message) => JsonSerializer.SerializeToUtf8Bytes([message], ControlJson.Default.ControlMessageArray);

    /// <summary>A value of a type with something in every member.</summary>
    private static object? Sample(Type type, Random random)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return random.Next(3) == 0 ? null : Sample(inner, random);
        if (type == typeof(string)) return $"text {random.Next()} \"ä€\u0001\"";
        if (type == typeof(int)) return random.Next();
        if (type == typeof(long)) return random.NextInt64();
        if (type == typeof(ulong)) return (ulong)random.NextInt64() * 3;
        if (type == typeof(bool)) return random.Next(2) == 1;
        if (type == typeof(TimeSpan)) return new TimeSpan(random.NextInt64());
        if (type.IsEnum) return Enum.GetValues(type).GetValue(random.Next(Enum.GetValues(type).Length));
        if (type == typeof(TaskMetrics)) return new TaskMetrics { RunTime = new TimeSpan(random.Next()), ResultBytes = random.Next() };
        if (type.IsArray || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)))
        {
            var element = type.IsArray ? type.GetElementType()! : type.GenericTypeArguments[0];
            var array = Array.CreateInstance(element, random.Next(4));
            for (var i = 0; i < array.Length; i++)
            {
                if (element == typeof(byte)) array.SetValue((byte)random.Next(256), i);
                else array.SetValue(Sample(element, random), i);
            }
            return array;
        }
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            var map = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(type.GenericTypeArguments))!;
            for (var i = random.Next(3); i > 0; i--) map[$"key {i}"] = Sample(type.GenericTypeArguments[1], random);
            return map;
        }
        if (type.IsAbstract)
        {
            var kinds = type.GetCustomAttributes<JsonDerivedTypeAttribute>().Select(kind => kind.DerivedType).ToArray();
            return Sample(kinds[random.Next(kinds.Length)], random);
        }
        var constructor = type.GetConstructors().OrderByDescending(each => each.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Sample(parameter.ParameterType, random))]);
    }
}
