using System.Reflection;
using Dataflow.Serialization;

namespace Dataflow.Closures;

/// <summary>Finds the types and methods that a <see cref="CodeWriter"/> wrote.</summary>
internal sealed class CodeReader(ICodeResolver code)
{
    private const BindingFlags Any =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly List<Type> _types = [];
    private readonly List<Assembly> _assemblies = [];

    public Type ReadType(ref BlockReader reader)
    {
        var kind = reader.ReadVarUInt();
        if (kind >= CodeWriter.FirstKnown) return _types[(int)(kind - CodeWriter.FirstKnown)];

        Type type;
        switch (kind)
        {
            case CodeWriter.Array:
                var rank = (int)reader.ReadVarUInt();
                var element = ReadType(ref reader);
                type = rank == 0 ? element.MakeArrayType() : element.MakeArrayType(rank);
                break;
            case CodeWriter.ByRef:
                type = ReadType(ref reader).MakeByRefType();
                break;
            case CodeWriter.Generic:
                var definition = ReadType(ref reader);
                type = definition.MakeGenericType(ReadTypes(ref reader));
                break;
            default:
                var assembly = ReadAssembly(ref reader);
                var name = reader.ReadString()!;
                type = assembly.GetType(name) ?? throw new CodeUnavailableException(
                    $"The driver's code names the type '{name}' of '{assembly.GetName().Name}', which has no such type here. "
                    + "Run driver and executors on the same version of .NET.");
                break;
        }
        _types.Add(type);
        return type;
    }

    public MethodBase ReadMethod(ref BlockReader reader)
    {
        var declaring = ReadType(ref reader);
        var byName = reader.ReadByte() == 1;
        var arguments = ReadTypes(ref reader);
        if (byName) return FindByName(declaring, reader.ReadString()!, arguments, ReadType(ref reader), ReadTypes(ref reader));

        var method = declaring.Module.ResolveMethod(reader.ReadUnmanaged<int>())!;
        if (declaring.IsConstructedGenericType) method = MethodBase.GetMethodFromHandle(method.MethodHandle, declaring.TypeHandle)!;
        return arguments.Length > 0 ? ((MethodInfo)method).MakeGenericMethod(arguments) : method;
    }

    public Assembly ReadAssembly(ref BlockReader reader)
    {
        if (reader.ReadVarUInt() is > 0 and var known) return _assemblies[(int)known - 1];
        var name = reader.ReadString()!;
        var mvid = reader.ReadUnmanaged<Guid>();
        var assembly = mvid == Guid.Empty ? Assembly.Load(new AssemblyName(name)) : code.Resolve(new AssemblyRef(name, mvid, ""));
        _assemblies.Add(assembly);
        return assembly;
    }

    private Type[] ReadTypes(ref BlockReader reader)
    {
        var types = new Type[reader.ReadVarUInt()];
        for (var i = 0; i < types.Length; i++) types[i] = ReadType(ref reader);
        return types;
    }

    private static MethodBase FindByName(Type declaring, string name, Type[] arguments, Type returned, Type[] parameters)
    {
        foreach (var member in declaring.GetMember(name, MemberTypes.Method | MemberTypes.Constructor, Any))
        {
            if (member is not MethodBase method || method.GetParameters().Length != parameters.Length) continue;
            if (method.IsGenericMethodDefinition)
            {
                if (method.GetGenericArguments().Length != arguments.Length || !TryClose((MethodInfo)method, arguments, out method)) continue;
            }
            else if (arguments.Length > 0)
            {
                continue;
            }
            if ((method is not MethodInfo { ReturnType: var gives } || gives == returned)
                && method.GetParameters().Select(static parameter => parameter.ParameterType).SequenceEqual(parameters)) return method;
        }
        throw new CodeUnavailableException(
            $"The driver's code calls {TypeNames.Of(declaring)}.{name}({string.Join(", ", parameters.Select(TypeNames.Short))}), which is not there in .NET "
            + $"{Environment.Version}. Run driver and executors on the same version of .NET.");
    }

    // An overload whose constraints the arguments don't meet is another one.
    private static bool TryClose(MethodInfo method, Type[] arguments, out MethodBase closed)
    {
        try
        {
            closed = method.MakeGenericMethod(arguments);
            return true;
        }
        catch (ArgumentException)
        {
            closed = method;
            return false;
        }
    }
}
