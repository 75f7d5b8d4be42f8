using System.Runtime.CompilerServices;
using Dataflow.Diagnostics;
using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>Whether operators are fused.</summary>
internal static class FusionSupport
{
    /// <summary>Whether a task runs fused operators: not if the options say no, if it is the retry of one that threw (plain operators leave
    /// the user's frames in its trace), or if the process can't make code.</summary>
    public static bool Fuses(TaskContext context) => Fuses(context, RuntimeFeature.IsDynamicCodeSupported);

    internal static bool Fuses(TaskContext context, bool dynamicCode)
    {
        if (!context.Services.Options.Fusion || context.PlainOperators) return false;
        if (!dynamicCode) RuntimeNotice.WithoutDynamicCode();
        return dynamicCode;
    }
}
