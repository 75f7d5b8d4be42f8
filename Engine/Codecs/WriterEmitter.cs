using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Emits the writing loop of a <see cref="CompiledCodec{T}"/>.</summary>
internal sealed class WriterEmitter(TypeShape shape, Func<TypeShape, CodecRef> partOf)
    : CodecEmitter("Write", shape, typeof(BlockWriter), partOf)
{
    private static readonly MethodInfo
        WriteByte = Method(typeof(BlockWriter), nameof(BlockWriter.WriteByte)),
        WriteRaw = Method(typeof(BlockWriter), nameof(BlockWriter.WriteRaw)),
        Descend = Method(typeof(BlockWriter), nameof(BlockWriter.Descend)),
        Ascend = Method(typeof(BlockWriter), nameof(BlockWriter.Ascend)),
        WriteSubtype = Method(typeof(Subtypes), nameof(Subtypes.Write)),
        GetTypeOf = Method(typeof(object), nameof(GetType));

    protected override void EmitElement(TypeShape shape, LocalBuilder element) => EmitInline(shape,
        () =>
        {
            Il.Emit(OpCodes.Ldloc, element);
            Il.Emit(OpCodes.Ldobj, shape.Type);
        },
        () => Il.Emit(OpCodes.Ldloc, element));

    // The value is pushed by load; structs are read where they lie, through the reference that loadAddress pushes.
    private void Emit(TypeShape part, Action load, Action loadAddress)
    {
        switch (part.Kind)
        {
            case ShapeKind.Scalar:
                Il.Emit(OpCodes.Ldarg_1);
                load();
                Il.Emit(OpCodes.Call, Scalars.Find(part.Type)!.Write);
                break;
            case ShapeKind.Blit:
                Il.Emit(OpCodes.Ldarg_1);
                load();
                Il.Emit(OpCodes.Call, WriteRaw.MakeGenericMethod(part.Type));
                break;
            case ShapeKind.Container when Nullable.GetUnderlyingType(part.Type) is not null:
                EmitNullable(part, loadAddress);
                break;
            case ShapeKind.Fields when TakesInline(part):
                EmitInline(part, load, loadAddress);
                break;
            default:
                var codec = CodecOf(part);
                Il.Emit(OpCodes.Ldloc, codec);
                Il.Emit(OpCodes.Ldarg_1);
                load();
                Il.Emit(OpCodes.Callvirt, Method(codec.LocalType, "WriteItem"));
                break;
        }
    }

    private void EmitInline(TypeShape part, Action load, Action loadAddress)
    {
        if (part.Type.IsValueType)
        {
            var address = Il.DeclareLocal(part.Type.MakeByRefType());
            loadAddress();
            Il.Emit(OpCodes.Stloc, address);
            if (part.Fields.Length == 0) EmitByte(0);
            EmitFields(part, address);
            return;
        }

        var (value, absent, other, end) = (Il.DeclareLocal(part.Type), Il.DefineLabel(), Il.DefineLabel(), Il.DefineLabel());
        load();
        Il.Emit(OpCodes.Stloc, value);
        Il.Emit(OpCodes.Ldloc, value);
        Il.Emit(OpCodes.Brfalse, absent);
        if (!part.Type.IsSealed)
        {
            Il.Emit(OpCodes.Ldloc, value);
            Il.Emit(OpCodes.Call, GetTypeOf);
            EmitType(part.Type);
            Il.Emit(OpCodes.Bne_Un, other);
        }
        EmitByte(Subtypes.Exact);
        EmitFields(part, value);
        Il.Emit(OpCodes.Br, end);

        Il.MarkLabel(other);
        if (!part.Type.IsSealed)
        {
            Il.Emit(OpCodes.Ldarg_1);
            Il.Emit(OpCodes.Ldloc, value);
            EmitType(part.Type);
            Il.Emit(OpCodes.Call, WriteSubtype);
            Il.Emit(OpCodes.Br, end);
        }

        Il.MarkLabel(absent);
        EmitByte(Subtypes.Null);
        Il.MarkLabel(end);
    }

    // The holder is an object or a reference to a struct: fields are loaded alike from both.
    private void EmitFields(TypeShape shape, LocalBuilder holder)
    {
        EmitDepth(shape, Descend, Ascend, enters: true);
        for (var i = 0; i < shape.Fields.Length; i++)
        {
            var field = shape.Fields[i];
            Emit(shape.Parts[i], () => Load(OpCodes.Ldfld), () => Load(OpCodes.Ldflda));

            void Load(OpCode code)
            {
                Il.Emit(OpCodes.Ldloc, holder);
                Il.Emit(code, field);
            }
        }
        EmitDepth(shape, Descend, Ascend, enters: false);
    }

    private void EmitNullable(TypeShape part, Action loadAddress)
    {
        var (address, value) = (Il.DeclareLocal(part.Type.MakeByRefType()), Il.DeclareLocal(part.Parts[0].Type));
        var (absent, end) = (Il.DefineLabel(), Il.DefineLabel());
        loadAddress();
        Il.Emit(OpCodes.Stloc, address);
        Il.Emit(OpCodes.Ldloc, address);
        Il.Emit(OpCodes.Call, part.Type.GetProperty(nameof(Nullable<int>.HasValue))!.GetMethod!);
        Il.Emit(OpCodes.Brfalse, absent);

        EmitByte(1);
        Il.Emit(OpCodes.Ldloc, address);
        Il.Emit(OpCodes.Call, part.Type.GetMethod(nameof(Nullable<int>.GetValueOrDefault), [])!);
        Il.Emit(OpCodes.Stloc, value);
        Emit(part.Parts[0], () => Il.Emit(OpCodes.Ldloc, value), () => Il.Emit(OpCodes.Ldloca, value));
        Il.Emit(OpCodes.Br, end);

        Il.MarkLabel(absent);
        EmitByte(0);
        Il.MarkLabel(end);
    }

    private void EmitByte(int value)
    {
        Il.Emit(OpCodes.Ldarg_1);
        Il.Emit(OpCodes.Ldc_I4, value);
        Il.Emit(OpCodes.Call, WriteByte);
    }
}
