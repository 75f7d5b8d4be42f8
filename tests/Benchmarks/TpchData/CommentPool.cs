using System.Runtime.InteropServices;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>300 MB of made-up sentences, of which all comments are pieces. Made once for a process, in a second or two.</summary>
internal sealed unsafe class CommentPool
{
    private const int Length = 300 << 20;
    private const int LongestSentence = 1 << 10;

    private static readonly Lazy<CommentPool> Made = new(static () => new CommentPool());

    private readonly byte* _text;
    private byte* _end;

    private CommentPool()
    {
        _text = (byte*)NativeMemory.Alloc(Length + LongestSentence);
        _end = _text;
        var draws = new Draws(933588178, int.MaxValue);
        while (_end < _text + Length) Sentence(draws);
    }

    /// <summary>The one of this process.</summary>
    public static CommentPool Shared => Made.Value;

    /// <summary>Draws a comment.</summary>
    /// <param name="draws">Two numbers are taken of it.</param>
    /// <param name="average">Average length in bytes.</param>
    /// <param name="length">The comment's length.</param>
    /// <returns>Where it is, for as long as the process runs.</returns>
    public byte* Next(Draws draws, int average, out int length)
    {
        var longest = (int)(average * 1.6);
        var offset = draws.Next(0, Length - longest);
        length = draws.Next((int)(average * 0.4), longest);
        return _text + offset;
    }

    private void Sentence(Draws draws)
    {
        foreach (var part in WordLists.Sentences.Next(draws))
        {
            switch (part)
            {
                case (byte)'N':
                    NounPhrase(draws);
                    break;
                case (byte)'V':
                    VerbPhrase(draws);
                    break;
                case (byte)'P':
                    Add(WordLists.Prepositions.Next(draws));
                    Add(" the "u8);
                    NounPhrase(draws);
                    break;
                default:
                    // The end of a sentence takes the place of the last space.
                    _end--;
                    Add(WordLists.Terminators.Next(draws));
                    Add(" "u8);
                    break;
            }
        }
    }

    private void NounPhrase(Draws draws)
    {
        foreach (var part in WordLists.NounPhrases.Next(draws))
        {
            if (part == (byte)',')
            {
                _end--;
                Add(", "u8);
                continue;
            }
            Add((part switch
            {
                (byte)'N' => WordLists.Nouns,
                (byte)'J' => WordLists.Adjectives,
                _ => WordLists.Adverbs,
            }).Next(draws));
            Add(" "u8);
        }
    }

    private void VerbPhrase(Draws draws)
    {
        foreach (var part in WordLists.VerbPhrases.Next(draws))
        {
            Add((part switch
            {
                (byte)'V' => WordLists.Verbs,
                (byte)'X' => WordLists.Auxiliaries,
                _ => WordLists.Adverbs,
            }).Next(draws));
            Add(" "u8);
        }
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(_end, bytes.Length));
        _end += bytes.Length;
    }
}
