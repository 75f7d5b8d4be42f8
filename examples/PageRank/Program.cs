// Ranks the pages of a link graph. The links are placed once and joined in every round without moving again.
using Dataflow;
using Dataflow.Examples;

const double damping = 0.85;

var arguments = new Arguments(args, """
    Usage: PageRank [LINKS...] [--pages N] [--rounds N] [--top N]

      LINKS      files, folders or globs of lines "FROM TO" (page numbers; lines with # are skipped); without any, a graph is made up
      --pages    how many pages the made-up graph has (5000)
      --rounds   how many rounds at most; fewer if the ranks settle before (20)
      --top      how many pages to print (10)
    """);
var rounds = arguments.Number("--rounds", 20);

using var context = DataflowContext.Local();

var edges = arguments.Paths is { } paths
    ? context.TextFile(paths).Filter(line => line.Length > 0 && line[0] != '#').Map(ParseLink)
    : MadeUpLinks(arguments.Number("--pages", 5000));

// Every page with where it links to; pages that are only linked to have an empty list.
var placement = new HashPartitioner<int>(8);
var links = edges.CoGroup(edges.Map(edge => (edge.To, edge.From)), placement)
    .MapValues(page => page.Left.Distinct().ToArray())
    .Cache();

var pages = links.Count();
var ranks = links.MapValues(_ => 1.0 / pages).Cache();
var change = 1.0;
for (var round = 1; round <= rounds && change > 1e-9; round++)
{
    // A page without links would swallow its rank: all pages share it instead, so that ranks sum to 1.
    var dangling = links.Join(ranks).Filter(page => page.Value.Left.Length == 0).Map(page => page.Value.Right).Sum();

    // The one shuffle of a round. Links and ranks are placed alike, so their join is local, and so is the next.
    var received = (from page in links.Join(ranks)
                    from target in page.Value.Left
                    select (target, page.Value.Right / page.Value.Left.Length))
        .ReduceByKey((a, b) => a + b, placement);

    var next = links.LeftOuterJoin(received)
        .MapValues(page => (1 - damping) / pages + damping * (page.Right.Or(0) + dangling / pages))
        .Cache();

    change = next.Join(ranks).Map(page => Math.Abs(page.Value.Left - page.Value.Right)).Sum();
    Console.WriteLine($"round {round,2}: ranks moved by {change:F10}");
    ranks.Unpersist();
    ranks = next;
}

foreach (var (page, rank) in ranks.Top(arguments.Number("--top", 10), by: page => page.Value))
    Console.WriteLine($"{rank:F10}  page {page}");
Console.WriteLine($"{pages:N0} pages, {links.Map(page => (long)page.Value.Length).Sum():N0} links, ranks sum to {ranks.Values().Sum():F9}");

static (int From, int To) ParseLink(string line)
{
    var ends = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    return (int.Parse(ends[0]), int.Parse(ends[1]));
}

// Pages with low numbers are popular; every tenth page links nowhere.
Rdd<(int From, int To)> MadeUpLinks(int pages) => context.Range(0, pages).FlatMap(page =>
{
    var random = new Random((int)page);
    var count = page % 10 == 9 ? 0 : random.Next(1, 12);
    return Enumerable.Range(0, count).Select(_ => ((int)page, (int)(pages * Math.Pow(random.NextDouble(), 3))));
});
