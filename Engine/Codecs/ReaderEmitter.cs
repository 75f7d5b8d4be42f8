using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Emits the reading loop of a <see cref="CompiledCodec{T}"/>.</summary>
/// <remarks>
/// The loop keeps the place it reads at in a local: in the reader's field, each value would wait for the store of the one before it. The
/// reader learns the place when something is called that reads by itself.
/// </remarks>
internal sealed class ReaderEmitter(TypeShape shape, Func<TypeShape, CodecRef> partOf)
    : CodecEmitter("Read", shape, typeof(BlockReader).MakeByRefType(), partOf)
{
    private static readonly MethodInfo
        ReadRaw = Method(typeof(BlockReader), nameof(BlockReader.ReadRaw)),
        ReadVarUInt = Method(typeof(BlockReader), nameof(BlockReader.ReadVarUInt)),
        Descend = Method(typeof(BlockReader), nameof(BlockReader.Descend)),
        Ascend = Method(typeof(BlockReader), nameof(BlockReader.Ascend)),
        ReadBool = Method(typeof(Scalars), nameof(Scalars.ReadBool)),
        ReadSubtype = Method(typeof(Subtypes), nameof(Subtypes.Read)),
        Next = Method(typeof(BlockReader), "get_" + nameof(BlockReader.Next)),
        End = Method(typeof(BlockReader), "get_" + nameof(BlockReader.End)),
        MoveTo = Method(typeof(BlockReader), nameof(BlockReader.MoveTo)),
        Uninitialized = Method(typeof(RuntimeHelpers), nameof(RuntimeHelpers.GetUninitializedObject));

    private readonly List<Action> _behind = [];
    private LocalBuilder? _next;
    private LocalBuilder? _end;

    private LocalBuilder NextByte => _next ??= Il.DeclareLocal(typeof(byte).MakeByRefType());

    private LocalBuilder EndOfBytes => _end ??= Il.DeclareLocal(typeof(byte).MakeByRefType());

    protected override void EmitBegin()
    {
        Resume();
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Call, End);
        Il.Emit(OpCodes.Stloc, EndOfBytes);
    }

    protected override void EmitEnd() => Suspend();

    protected override void EmitBehind()
    {
        foreach (var emit in _behind) emit();
    }

    protected override void EmitElement(TypeShape shape, LocalBuilder element)
    {
        if (shape.Type.IsValueType)
        {
            EmitStruct(shape, () => Il.Emit(OpCodes.Ldloc, element));
            return;
        }
        var value = EmitClass(shape);
        Il.Emit(OpCodes.Ldloc, element);
        Il.Emit(OpCodes.Ldloc, value);
        Il.Emit(OpCodes.Stind_Ref);
    }

    // Reads a value into the local that it gives: so nothing lies on the stack where the code branches.
    private LocalBuilder Emit(TypeShape part)
    {
        if (part.Kind == ShapeKind.Container && Nullable.GetUnderlyingType(part.Type) is not null)
            return EmitNullable(part);
        if (TakesInline(part))
        {
            if (!part.Type.IsValueType)
                return EmitClass(part);
            var item = Il.DeclareLocal(part.Type);
            EmitStruct(part, () => Il.Emit(OpCodes.Ldloca, item));
            return item;
        }

        var value = Il.DeclareLocal(part.Type);
        switch (part.Kind)
        {
            case ShapeKind.Scalar:
                Call(Scalars.Find(part.Type)!.Read, value);
                break;
            case ShapeKind.Blit:
                EmitRaw(part.Type, value);
                break;
            default:
                var codec = CodecOf(part);
                Suspend();
                Il.Emit(OpCodes.Ldloc, codec);
                Il.Emit(OpCodes.Ldarg_1);
                Il.Emit(OpCodes.Callvirt, Method(codec.LocalType, "ReadItem"));
                Il.Emit(OpCodes.Stloc, value);
                Resume();
                break;
        }
        return value;
    }

    // Calls something that takes nothing but the reader.
    private void Call(MethodInfo read, LocalBuilder value)
    {
        Suspend();
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Call, read);
        Il.Emit(OpCodes.Stloc, value);
        Resume();
    }

    private void Suspend()
    {
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Ldloc, NextByte);
        Il.Emit(OpCodes.Call, MoveTo);
    }

    private void Resume()
    {
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Call, Next);
        Il.Emit(OpCodes.Stloc, NextByte);
    }

    // What the loop can't do in place is done by the reader itself, which also says what is wrong.
    private void Behind(MethodInfo read, LocalBuilder value, Label from, Label back) => _behind.Add(() =>
    {
        Il.MarkLabel(from);
        Call(read, value);
        Il.Emit(OpCodes.Br, back);
    });

    // Memory as it is.
    private void EmitRaw(Type type, LocalBuilder value)
    {
        var (tooShort, back) = (Il.DefineLabel(), Il.DefineLabel());
        Il.Emit(OpCodes.Ldloc, EndOfBytes);
        Il.Emit(OpCodes.Ldloc, NextByte);
        Il.Emit(OpCodes.Sub);
        Il.Emit(OpCodes.Sizeof, type);
        Il.Emit(OpCodes.Conv_I);
        Il.Emit(OpCodes.Blt, tooShort);
        Il.Emit(OpCodes.Ldloc, NextByte);
        Il.Emit(OpCodes.Unaligned, (byte)1);
        Il.Emit(OpCodes.Ldobj, type);
        Il.Emit(OpCodes.Stloc, value);
        Advance(() => Il.Emit(OpCodes.Sizeof, type));
        Il.MarkLabel(back);
        Behind(ReadRaw.MakeGenericMethod(type), value, tooShort, back);
    }

    // A number of one byte; longer ones are left to the reader.
    private void EmitVarUInt(LocalBuilder value)
    {
        var (tooLong, back) = (Il.DefineLabel(), Il.DefineLabel());
        Il.Emit(OpCodes.Ldloc, NextByte);
        Il.Emit(OpCodes.Ldloc, EndOfBytes);
        Il.Emit(OpCodes.Bge_Un, tooLong);
        Il.Emit(OpCodes.Ldloc, NextByte);
        Il.Emit(OpCodes.Ldind_U1);
        Il.Emit(OpCodes.Stloc, value);
        Il.Emit(OpCodes.Ldloc, value);
        Il.Emit(OpCodes.Ldc_I4, 0x80);
        Il.Emit(OpCodes.Bge_Un, tooLong);
        Advance(() => Il.Emit(OpCodes.Ldc_I4_1));
        Il.MarkLabel(back);
        Behind(ReadVarUInt, value, tooLong, back);
    }

    private void Advance(Action bytes)
    {
        Il.Emit(OpCodes.Ldloc, NextByte);
        bytes();
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, NextByte);
    }

    // Field by field into place; what the place held before is overwritten whole.
    private void EmitStruct(TypeShape shape, Action loadAddress)
    {
        if (shape.SkipsFields)
        {
            loadAddress();
            Il.Emit(OpCodes.Initobj, shape.Type);
        }
        if (shape.Fields.Length == 0)
        {
            EmitRaw(typeof(byte), Il.DeclareLocal(typeof(byte)));
        }
        EmitFields(shape, loadAddress);
    }

    private void EmitFields(TypeShape shape, Action loadHolder)
    {
        EmitDepth(shape, Descend, Ascend, enters: true);
        for (var i = 0; i < shape.Fields.Length; i++)
        {
            var (field, part) = (shape.Fields[i], shape.Parts[i]);
            if (part.Type.IsValueType && TakesInline(part))
            {
                EmitStruct(part, () =>
                {
                    loadHolder();
                    Il.Emit(OpCodes.Ldflda, field);
                });
                continue;
            }
            var value = Emit(part);
            loadHolder();
            Il.Emit(OpCodes.Ldloc, value);
            Il.Emit(OpCodes.Stfld, field);
        }
        EmitDepth(shape, Descend, Ascend, enters: false);
    }

    private LocalBuilder EmitClass(TypeShape shape)
    {
        var (value, marker) = (Il.DeclareLocal(shape.Type), Il.DeclareLocal(typeof(uint)));
        var (exact, absent, end) = (Il.DefineLabel(), Il.DefineLabel(), Il.DefineLabel());
        EmitVarUInt(marker);
        Il.Emit(OpCodes.Ldloc, marker);
        Il.Emit(OpCodes.Ldc_I4, (int)Subtypes.Exact);
        Il.Emit(OpCodes.Beq, exact);
        Il.Emit(OpCodes.Ldloc, marker);
        Il.Emit(OpCodes.Brfalse, absent);

        Suspend();
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Ldloc, marker);
        EmitType(shape.Type);
        Il.Emit(OpCodes.Call, ReadSubtype);
        Il.Emit(OpCodes.Castclass, shape.Type);
        Il.Emit(OpCodes.Stloc, value);
        Resume();
        Il.Emit(OpCodes.Br, end);

        Il.MarkLabel(exact);
        EmitObject(shape, value);
        Il.Emit(OpCodes.Br, end);

        Il.MarkLabel(absent);
        Il.Emit(OpCodes.Ldnull);
        Il.Emit(OpCodes.Stloc, value);
        Il.MarkLabel(end);
        return value;
    }

    private void EmitObject(TypeShape shape, LocalBuilder value)
    {
        if (!shape.SkipsFields && StoringConstructor.Find(shape.Type, shape.Fields) is { } constructor)
        {
            EmitDepth(shape, Descend, Ascend, enters: true);
            var arguments = shape.Parts.Select(Emit).ToArray();
            EmitDepth(shape, Descend, Ascend, enters: false);
            foreach (var field in constructor.FieldOfParameter) Il.Emit(OpCodes.Ldloc, arguments[field]);
            Il.Emit(OpCodes.Newobj, constructor.Constructor);
            Il.Emit(OpCodes.Stloc, value);
            return;
        }

        // No constructor of the user's runs: it could check, count or open something.
        if (StoringConstructor.Find(shape.Type, []) is { } empty)
        {
            Il.Emit(OpCodes.Newobj, empty.Constructor);
        }
        else
        {
            EmitType(shape.Type);
            Il.Emit(OpCodes.Call, Uninitialized);
            Il.Emit(OpCodes.Castclass, shape.Type);
        }
        Il.Emit(OpCodes.Stloc, value);
        EmitFields(shape, () => Il.Emit(OpCodes.Ldloc, value));
    }

    private LocalBuilder EmitNullable(TypeShape part)
    {
        var (value, absent, end) = (Il.DeclareLocal(part.Type), Il.DefineLabel(), Il.DefineLabel());
        var present = Il.DeclareLocal(typeof(bool));
        Call(ReadBool, present);
        Il.Emit(OpCodes.Ldloc, present);
        Il.Emit(OpCodes.Brfalse, absent);
        var inner = Emit(part.Parts[0]);
        Il.Emit(OpCodes.Ldloca, value);
        Il.Emit(OpCodes.Ldloc, inner);
        Il.Emit(OpCodes.Call, part.Type.GetConstructor([part.Parts[0].Type])!);
        Il.Emit(OpCodes.Br, end);

        Il.MarkLabel(absent);
        Il.Emit(OpCodes.Ldloca, value);
        Il.Emit(OpCodes.Initobj, part.Type);
        Il.MarkLabel(end);
        return value;
    }
}
