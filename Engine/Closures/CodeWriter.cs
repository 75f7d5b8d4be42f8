using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Serialization;

namespace Dataflow.Closures;

/// <summary>Writes which types and methods a graph names: each once, then by its number.</summary>
/// <remarks>
/// Methods of code that travels are named by metadata token, which is exact and short; <see cref="AssemblyRef.Mvid"/> tells whether it still
/// holds. Those of .NET are named with their parameter types, since their tokens differ between patch versions.
/// </remarks>
internal sealed class CodeWriter(BlockWriter output)
{
    // Numbers below are kinds of new types.
    public const uint Named = 0, Generic = 1, Array = 2, ByRef = 3, FirstKnown = 4;

    private static readonly ConditionalWeakTable<Assembly, StrongBox<AssemblyRef>> Refs = [];

    private readonly Dictionary<Type, int> _types = [];
    private readonly List<Type> _typeOrder = [];
    private readonly Dictionary<Assembly, int> _assemblies = [];
    private readonly List<Assembly> _assemblyOrder = [];

    /// <summary>The assemblies that were named and that .NET does not bring along.</summary>
    public IReadOnlyList<AssemblyRef> Assemblies =>
        [.. _assemblyOrder.Where(static assembly => !RuntimeCode.Brings(assembly)).Select(RefOf)];

    /// <summary>Where the tables stand, to come back to with <see cref="Rewind"/>.</summary>
    public (int Types, int Assemblies) Mark => (_typeOrder.Count, _assemblyOrder.Count);

    public void Rewind((int Types, int Assemblies) mark)
    {
        foreach (var type in _typeOrder[mark.Types..]) _types.Remove(type);
        _typeOrder.RemoveRange(mark.Types, _typeOrder.Count - mark.Types);
        foreach (var assembly in _assemblyOrder[mark.Assemblies..]) _assemblies.Remove(assembly);
        _assemblyOrder.RemoveRange(mark.Assemblies, _assemblyOrder.Count - mark.Assemblies);
    }

    /// <exception cref="EmittedCodeException">The type was made at run time.</exception>
    public void WriteType(Type type)
    {
        if (_types.TryGetValue(type, out var known))
        {
            output.WriteVarUInt((uint)known + FirstKnown);
            return;
        }

        if (type.IsArray)
        {
            output.WriteVarUInt(Array);
            output.WriteVarUInt(type.IsSZArray ? 0 : (uint)type.GetArrayRank());
            WriteType(type.GetElementType()!);
        }
        else if (type.IsByRef)
        {
            output.WriteVarUInt(ByRef);
            WriteType(type.GetElementType()!);
        }
        else if (type.IsConstructedGenericType)
        {
            output.WriteVarUInt(Generic);
            WriteType(type.GetGenericTypeDefinition());
            WriteTypes(type.GetGenericArguments());
        }
        else if (type.IsGenericParameter || type.IsPointer || type.IsFunctionPointer)
        {
            throw new EmittedCodeException(type);
        }
        else
        {
            output.WriteVarUInt(Named);
            WriteAssembly(type.Assembly);
            output.WriteString(type.FullName);
        }

        _types.Add(type, _typeOrder.Count);
        _typeOrder.Add(type);
    }

    /// <exception cref="EmittedCodeException">The method was made at run time.</exception>
    public void WriteMethod(MethodBase method)
    {
        if (method.DeclaringType is not { } declaring || method.Module.Assembly.IsDynamic) throw new EmittedCodeException(null);

        WriteType(declaring);
        var byName = RuntimeCode.Brings(method.Module.Assembly);
        output.WriteByte(byName ? (byte)1 : (byte)0);

        // A stack trace knows of a generic method only that it is one.
        WriteTypes(method is { IsGenericMethod: true, IsGenericMethodDefinition: false } ? method.GetGenericArguments() : []);
        if (!byName)
        {
            output.WriteUnmanaged(method.MetadataToken);
            return;
        }
        output.WriteString(method.Name);
        WriteType(method is MethodInfo { ReturnType: var returned } ? returned : typeof(void));
        WriteTypes([.. method.GetParameters().Select(static parameter => parameter.ParameterType)]);
    }

    public void WriteAssembly(Assembly assembly)
    {
        if (_assemblies.TryGetValue(assembly, out var known))
        {
            output.WriteVarUInt((uint)known + 1);
            return;
        }
        if (assembly.IsDynamic) throw new EmittedCodeException(null);
        output.WriteVarUInt(0);
        var reference = RefOf(assembly);
        output.WriteString(reference.Name);
        output.WriteUnmanaged(RuntimeCode.Brings(assembly) ? Guid.Empty : reference.Mvid);
        _assemblies.Add(assembly, _assemblyOrder.Count);
        _assemblyOrder.Add(assembly);
    }

    private void WriteTypes(Type[] types)
    {
        output.WriteVarUInt((uint)types.Length);
        foreach (var type in types) WriteType(type);
    }

    // Every task's partition names some.
    private static AssemblyRef RefOf(Assembly assembly) => Refs.GetValue(assembly, static one =>
        new StrongBox<AssemblyRef>(new AssemblyRef(one.GetName().Name ?? "", one.ManifestModule.ModuleVersionId, one.Location))).Value;
}

/// <summary>Code was to be named that exists in this process only.</summary>
internal sealed class EmittedCodeException(Type? type) : Exception(type?.ToString())
{
    /// <summary>The type in question, if one is to blame.</summary>
    public Type? Type => type;
}
