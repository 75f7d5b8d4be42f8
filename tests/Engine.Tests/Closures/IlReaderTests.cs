using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Closures;

namespace Dataflow.Engine.Tests.Closures;

public sealed class IlReaderTests
{
    [Fact]
    public void The_table_of_opcodes_agrees_with_dotnet()
    {
        var opcodes = typeof(OpCodes).GetFields().Select(field => field.GetValue(null)).OfType<OpCode>().ToArray();
        Assert.True(opcodes.Length > 200);
        foreach (var opcode in opcodes.Where(opcode => opcode.OpCodeType != OpCodeType.Nternal))
        {
            var value = (ushort)opcode.Value;
            var il = new byte[16];
            (il[0], il[1]) = opcode.Size == 1 ? ((byte)value, (byte)0) : ((byte)(value >> 8), (byte)value);
            var reader = new IlReader(il);

            Assert.True(reader.Read());
            var (pops, pushes) = (reader.Pops, reader.Pushes);
            Assert.True(reader.Read());
            Assert.True(opcode.Size + OperandSize(opcode) == reader.Offset, $"{opcode.Name}: next at {reader.Offset}");
            if (opcode.StackBehaviourPop != StackBehaviour.Varpop)
                Assert.True(Count(opcode.StackBehaviourPop) == pops, $"{opcode.Name}: pops {pops}");
            if (opcode.StackBehaviourPush != StackBehaviour.Varpush)
                Assert.True(Count(opcode.StackBehaviourPush) == pushes, $"{opcode.Name}: pushes {pushes}");
        }
    }

    [Fact]
    public void Branches_and_switches_give_their_targets()
    {
        // br.s -2; br +5; switch (1, -3); ret
        var reader = new IlReader([0x2B, 0xFE, 0x38, 5, 0, 0, 0, 0x45, 2, 0, 0, 0, 1, 0, 0, 0, 0xFD, 0xFF, 0xFF, 0xFF, 0x2A]);
        Assert.True(reader.Read() && reader.IsBranch && reader.EndsBlock);
        Assert.Equal(0, reader.Target());
        Assert.True(reader.Read() && reader.IsBranch && reader.EndsBlock);
        Assert.Equal(12, reader.Target());
        Assert.True(reader.Read() && !reader.IsBranch && !reader.EndsBlock);
        Assert.Equal((21, 17), (reader.SwitchTarget(0), reader.SwitchTarget(1)));
        Assert.True(reader.Read() && reader.EndsBlock && reader.Opcode == Il.Ret);
        Assert.False(reader.Read());
    }

    [Fact]
    public void Every_lambda_of_the_loaded_libraries_can_be_read_and_its_plain_stores_are_found()
    {
        // .NET's own lambdas are real code of every style: a store to the lambda's own capture class must be told as a write.
        var lambdas =
            from assembly in new[] { typeof(object), typeof(Enumerable), typeof(System.Xml.XmlReader), typeof(FactAttribute), GetType() }.Select(type => type.Assembly)
            from type in assembly.GetTypes()
            where CompilerNames.IsDisplayClass(type)
            from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where method.Name.Contains(">b__", StringComparison.Ordinal)
            select method;
        var read = 0;
        foreach (var lambda in lambdas)
        {
            var variables = new List<CapturedVariable>();
            Assert.True(new ClosureScan().Run(lambda, new CaptureObject(lambda.DeclaringType!, variables)));
            var written = variables.Where(variable => variable.IsWritten).Select(variable => variable.Field.Name).ToHashSet();
            Assert.All(StoredByName(lambda), name => Assert.True(written.Contains(name), $"{lambda.DeclaringType}.{lambda.Name} writes {name}"));
            read++;
        }

        Assert.True(read > 200, $"Only {read} lambdas were found.");
    }

    private static IEnumerable<string> StoredByName(MethodInfo lambda)
    {
        var type = lambda.DeclaringType!;
        var names = new List<string>();
        var reader = new IlReader(lambda.GetMethodBody()!.GetILAsByteArray());
        while (reader.Read())
        {
            if (reader.Opcode == Il.Stfld
                && lambda.Module.ResolveField(reader.Operand(), type.GetGenericArguments(), lambda.IsGenericMethod ? lambda.GetGenericArguments() : null)
                    is { } field && field.DeclaringType == type && !CompilerNames.IsDelegateCache(field))
                names.Add(field.Name);
        }

        return names;
    }

    private static int OperandSize(OpCode opcode) => opcode.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    // Popi_pop1 pops two, Push1_push1 pushes two.
    private static int Count(StackBehaviour behaviour) =>
        behaviour is StackBehaviour.Pop0 or StackBehaviour.Push0 ? 0 : behaviour.ToString().Split('_').Length;
}
