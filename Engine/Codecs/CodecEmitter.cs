using System.Reflection;
using System.Reflection.Emit;
using Dataflow.Serialization;

namespace Dataflow.Codecs;

/// <summary>Makes one direction of a <see cref="CompiledCodec{T}"/>: a loop over the elements whose body subclasses emit.</summary>
/// <remarks>
/// IL and not an expression tree, since init-only fields must be set, spans walked and no delegate called for each element.
/// Arguments of the method: the codecs it calls, the writer or reader, a reference to the first element, how many elements.
/// </remarks>
internal abstract class CodecEmitter
{
    // Beyond this many fields in one method the parts keep to methods of their own: the JIT gives up on huge ones.
    private const int InlineFields = 96;

    private readonly TypeShape _shape;
    private readonly Func<TypeShape, CodecRef> _partOf;
    private readonly DynamicMethod _method;
    private readonly List<CodecRef> _codecs = [];
    private readonly List<LocalBuilder> _codecLocals = [];
    private int _fields;

    protected CodecEmitter(string name, TypeShape shape, Type stream, Func<TypeShape, CodecRef> partOf)
    {
        _shape = shape;
        _partOf = partOf;
        _fields = shape.Fields.Length;
        _method = new DynamicMethod($"{name} {TypeNames.Short(shape.Type)}", typeof(void),
            [typeof(CodecRef[]), stream, shape.Type.MakeByRefType(), typeof(int)], typeof(CodecEmitter).Module, skipVisibility: true);
        Il = _method.GetILGenerator();
    }

    protected ILGenerator Il { get; }

    /// <summary>Emits the whole method.</summary>
    public TDelegate Compile<TDelegate>()
        where TDelegate : Delegate
    {
        // Which codecs are called shows while the body is emitted; they are loaded once, by a prologue behind it.
        var (prologue, body, check, next) = (Il.DefineLabel(), Il.DefineLabel(), Il.DefineLabel(), Il.DefineLabel());
        var index = Il.DeclareLocal(typeof(int));
        var element = Il.DeclareLocal(_shape.Type.MakeByRefType());
        Il.Emit(OpCodes.Br, prologue);

        Il.MarkLabel(body);
        Il.Emit(OpCodes.Ldarg_2);
        Il.Emit(OpCodes.Ldloc, index);
        Il.Emit(OpCodes.Conv_I);
        Il.Emit(OpCodes.Sizeof, _shape.Type);
        Il.Emit(OpCodes.Mul);
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, element);
        EmitElement(_shape, element);

        Il.MarkLabel(next);
        Il.Emit(OpCodes.Ldloc, index);
        Il.Emit(OpCodes.Ldc_I4_1);
        Il.Emit(OpCodes.Add);
        Il.Emit(OpCodes.Stloc, index);
        Il.MarkLabel(check);
        Il.Emit(OpCodes.Ldloc, index);
        Il.Emit(OpCodes.Ldarg_3);
        Il.Emit(OpCodes.Blt, body);
        EmitEnd();
        Il.Emit(OpCodes.Ret);

        Il.MarkLabel(prologue);
        for (var i = 0; i < _codecs.Count; i++)
        {
            Il.Emit(OpCodes.Ldarg_0);
            Il.Emit(OpCodes.Ldc_I4, i);
            Il.Emit(OpCodes.Ldelem_Ref);
            Il.Emit(OpCodes.Castclass, _codecs[i].GetType());
            Il.Emit(OpCodes.Ldfld, _codecs[i].GetType().GetField(nameof(CodecRef<int>.Codec))!);
            Il.Emit(OpCodes.Stloc, _codecLocals[i]);
        }
        EmitBegin();
        Il.Emit(OpCodes.Br, check);
        EmitBehind();
        return _method.CreateDelegate<TDelegate>(_codecs.ToArray());
    }

    /// <summary>Emits what comes before the loop.</summary>
    protected virtual void EmitBegin()
    {
    }

    /// <summary>Emits what comes after the loop.</summary>
    protected virtual void EmitEnd()
    {
    }

    /// <summary>Emits code that the loop jumps to, out of its way.</summary>
    protected virtual void EmitBehind()
    {
    }

    /// <summary>Emits what is done for one element.</summary>
    /// <param name="shape">The element's shape.</param>
    /// <param name="element">Holds a reference to it.</param>
    protected abstract void EmitElement(TypeShape shape, LocalBuilder element);

    /// <summary>Whether a part's fields are written in place; asking counts them.</summary>
    protected bool TakesInline(TypeShape part)
    {
        if (part.Kind != ShapeKind.Fields || part.IsRecursive || _fields + part.Fields.Length > InlineFields)
            return false;
        _fields += part.Fields.Length;
        return true;
    }

    /// <summary>A local that holds the codec of a part.</summary>
    protected LocalBuilder CodecOf(TypeShape part)
    {
        var codec = _partOf(part);
        var at = _codecs.IndexOf(codec);
        if (at >= 0)
            return _codecLocals[at];
        _codecs.Add(codec);
        _codecLocals.Add(Il.DeclareLocal(typeof(Codec<>).MakeGenericType(part.Type)));
        return _codecLocals[^1];
    }

    /// <summary>Pushes a type object.</summary>
    protected void EmitType(Type type)
    {
        Il.Emit(OpCodes.Ldtoken, type);
        Il.Emit(OpCodes.Call, typeof(Type).GetMethod(nameof(Type.GetTypeFromHandle))!);
    }

    /// <summary>Counts a level of nesting, or gives it back.</summary>
    protected void EmitDepth(TypeShape shape, MethodInfo descend, MethodInfo ascend, bool enters)
    {
        if (!shape.IsRecursive) return;
        Il.Emit(OpCodes.Ldarg_1);
        if (enters) EmitType(shape.Type);
        Il.Emit(OpCodes.Call, enters ? descend : ascend);
    }

    /// <summary>A method of ours by name, whatever its access.</summary>
    protected static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        ?? throw new MissingMethodException(type.FullName, name);
}
