namespace Dataflow.Tasks;

/// <summary>The tasks of a barrier stage, which started together.</summary>
/// <param name="hosts">Where each runs, by index.</param>
internal sealed class Gang(IReadOnlyList<string> hosts)
{
    public IReadOnlyList<string> Hosts => hosts;

    public int TaskCount => hosts.Count;
}
