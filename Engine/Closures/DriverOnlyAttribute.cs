namespace Dataflow.Closures;

/// <summary>A field of ours that stays in the driver program: where its object travels to, it holds the default of its type.</summary>
/// <remarks><see cref="NonSerializedAttribute"/> does the same for anybody's classes. Fields that hold a context stay behind by their type.</remarks>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class DriverOnlyAttribute : Attribute;
