using System.Text;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>A list of words, some more likely than others.</summary>
internal sealed class Words
{
    private readonly byte[][] _byWeight;

    private Words(IEnumerable<(string Word, int Weight)> words)
    {
        All = [.. words.Select(word => Encoding.ASCII.GetBytes(word.Word))];
        _byWeight = [.. words.SelectMany((word, i) => Enumerable.Repeat(All[i], word.Weight))];
    }

    /// <summary>Each word once.</summary>
    public byte[][] All { get; }

    /// <summary>A word of a comma list without weights: all are equally likely.</summary>
    public static Words Even(string list) => new(list.Split(',').Select(word => (word, 1)));

    /// <summary>A list of words with weights, as <c>40 packages requests, 20 foxes</c>; underlines stand for spaces.</summary>
    public static Words Weighted(string list) => new(list.Split(", ").SelectMany(group =>
    {
        var parts = group.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Skip(1).Select(word => (word.Replace('_', ' '), int.Parse(parts[0])));
    }));

    /// <summary>All pairs or triples: every word of the first list with every one of the second, and so on.</summary>
    public static Words Product(params string[] lists)
    {
        IEnumerable<string> all = lists[0].Split(',');
        foreach (var list in lists.Skip(1)) all = all.SelectMany(_ => list.Split(','), (left, right) => $"{left} {right}");
        return new(all.Select(word => (word, 1)));
    }

    /// <summary>Draws one.</summary>
    public byte[] Next(Draws draws) => _byWeight[draws.Next(0, _byWeight.Length - 1)];
}

/// <summary>The word lists of the TPC-H specification, clauses 4.2.2.13 and 4.2.2.14; weights and order as dbgen has them.</summary>
internal static class WordLists
{
    public static readonly string[] Regions = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"];

    public static readonly (string Name, int Region)[] Nations =
    [
        ("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3), ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4),
        ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0), ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3), ("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3),
        ("UNITED KINGDOM", 3), ("UNITED STATES", 1),
    ];

    public static readonly Words Segments = Words.Even("AUTOMOBILE,BUILDING,FURNITURE,HOUSEHOLD,MACHINERY");
    public static readonly Words Priorities = Words.Even("1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW");
    public static readonly Words Instructions = Words.Even("DELIVER IN PERSON,COLLECT COD,TAKE BACK RETURN,NONE");
    public static readonly Words Modes = Words.Even("REG AIR,AIR,RAIL,TRUCK,MAIL,FOB,SHIP");
    public static readonly Words ReturnFlags = Words.Even("R,A");
    public static readonly Words Containers = Words.Product("SM,LG,MED,JUMBO,WRAP", "CASE,BOX,BAG,JAR,PACK,PKG,CAN,DRUM");
    public static readonly Words Types = Words.Product("STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO", "ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED", "TIN,NICKEL,BRASS,STEEL,COPPER");

    public static readonly Words Colors = Words.Even(
        "almond,antique,aquamarine,azure,beige,bisque,black,blanched,blue,blush,brown,burlywood,burnished,chartreuse,chiffon,chocolate,coral,cornflower,cornsilk,cream,cyan,dark,deep,dim,dodger,"
        + "drab,firebrick,floral,forest,frosted,gainsboro,ghost,goldenrod,green,grey,honeydew,hot,indian,ivory,khaki,lace,lavender,lawn,lemon,light,lime,linen,magenta,maroon,medium,metallic,"
        + "midnight,mint,misty,moccasin,navajo,navy,olive,orange,orchid,pale,papaya,peach,peru,pink,plum,powder,puff,purple,red,rose,rosy,royal,saddle,salmon,sandy,seashell,sienna,sky,slate,"
        + "smoke,snow,spring,steel,tan,thistle,tomato,turquoise,violet,wheat,white,yellow");

    public static readonly Words Nouns = Words.Weighted(
        "40 packages requests accounts deposits, 20 foxes ideas theodolites pinto_beans instructions, 10 dependencies excuses platelets asymptotes, 5 courts dolphins, "
        + "1 multipliers sauternes warthogs frets dinos attainments somas Tiresias patterns forges braids frays warhorses dugouts notornis epitaphs pearls tithes waters orbits gifts sheaves "
        + "depths sentiments decoys realms pains grouches escapades hockey_players");

    public static readonly Words Verbs = Words.Weighted(
        "20 sleep wake are cajole haggle, 10 nag use boost, 5 affix detect integrate, 1 maintain nod was lose sublate solve thrash promise engage hinder print x-ray breach eat grow impress "
        + "mold poach serve run dazzle snooze doze unwind kindle play hang believe doubt");

    public static readonly Words Adverbs = Words.Weighted(
        "1 sometimes always never, 50 furiously slyly carefully, 40 blithely, 30 quickly, 20 fluffily, 1 slowly quietly ruthlessly thinly closely doggedly daringly bravely stealthily "
        + "permanently enticingly idly busily regularly finally ironically evenly boldly silently");

    public static readonly Words Adjectives = Words.Weighted(
        "20 special pending unusual express, 1 furious sly careful blithe quick fluffy slow quiet ruthless thin close dogged daring brave stealthy permanent enticing idle busy, 50 regular, "
        + "40 final ironic, 30 even, 20 bold, 10 silent");

    public static readonly Words Prepositions = Words.Weighted(
        "50 about above according_to across after, 40 against along, 30 alongside_of among, 20 around, 10 at, 1 atop before behind beneath beside besides between beyond by despite during "
        + "except for from in_place_of inside instead_of into near of on outside over past since through throughout to toward under until up upon whithout with within");

    public static readonly Words Auxiliaries = Words.Weighted(
        "1 do may might shall will would can could should ought_to must will_have_to shall_have_to could_have_to should_have_to must_have_to need_to try_to");

    public static readonly Words Terminators = Words.Weighted("50 ., 1 ; : ? ! --");

    /// <summary>Sentences: noun phrase, verb phrase, phrase with a preposition, end.</summary>
    public static readonly Words Sentences = Words.Weighted("3 NVT NVPT NVNT, 1 NPVNT NPVPT");

    /// <summary>Noun phrases: noun, adjective, adverb; a comma after the first word of one.</summary>
    public static readonly Words NounPhrases = Words.Weighted("10 N, 20 JN, 10 J,JN, 50 DJN");

    /// <summary>Verb phrases: verb, auxiliary, adverb.</summary>
    public static readonly Words VerbPhrases = Words.Weighted("30 V, 1 XV, 40 VD, 1 XVD");
}
