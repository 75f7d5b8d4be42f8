namespace Dataflow.Errors;

/// <summary>What a program gave a verb breaks what the verb asks for, which shows only in a task. The message says what to do, so nothing needs to be added to it.</summary>
internal sealed class VerbException(string message, Exception? inner = null) : InvalidOperationException(message, inner);
