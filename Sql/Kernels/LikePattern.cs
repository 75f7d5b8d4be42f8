namespace Dataflow.Sql.Kernels;

/// <summary>A LIKE pattern, taken apart once: <c>%</c> is any text, <c>_</c> any one character.</summary>
/// <remarks>Text between <c>%</c> is searched with the vectorised search of spans, from left to right: the first place that fits is always right.</remarks>
internal sealed class LikePattern
{
    private readonly Piece[] _pieces;
    private readonly bool _startsOpen;
    private readonly bool _endsOpen;

    private LikePattern(Piece[] pieces, bool startsOpen, bool endsOpen)
    {
        _pieces = pieces;
        _startsOpen = startsOpen;
        _endsOpen = endsOpen;
    }

    /// <summary>Takes a pattern apart.</summary>
    /// <returns>Null if the escape character stands at the end or before something that needs none.</returns>
    public static LikePattern? Parse(ReadOnlySpan<byte> pattern, byte escape)
    {
        var pieces = new List<Piece>();
        var bytes = new List<byte>();
        var isAny = new List<bool>();
        var (startsOpen, endsOpen) = (false, false);
        for (var i = 0; i < pattern.Length; i++)
        {
            var each = pattern[i];
            endsOpen = false;
            if (each == escape)
            {
                if (i + 1 == pattern.Length || (pattern[i + 1] is not ((byte)'%' or (byte)'_') && pattern[i + 1] != escape)) return null;
                bytes.Add(pattern[++i]);
                isAny.Add(false);
            }
            else if (each == '%')
            {
                if (bytes.Count == 0 && pieces.Count == 0) startsOpen = true;
                Close();
                endsOpen = true;
            }
            else
            {
                bytes.Add(each);
                isAny.Add(each == '_');
            }
        }
        Close();
        return new LikePattern([.. pieces], startsOpen, endsOpen);

        void Close()
        {
            if (bytes.Count == 0) return;
            pieces.Add(new Piece([.. bytes], isAny.Contains(true) ? [.. isAny] : null));
            bytes.Clear();
            isAny.Clear();
        }
    }

    /// <summary>Bytes that a text must hold somewhere, before all else that the pattern asks for; empty if the pattern begins otherwise.</summary>
    public ReadOnlySpan<byte> FirstAnywhere => _startsOpen && _pieces.Length > 0 && (_pieces.Length > 1 || _endsOpen) ? _pieces[0].Plain : [];

    /// <summary>Bytes that a text must begin with; empty if the pattern begins otherwise.</summary>
    public ReadOnlySpan<byte> Prefix => !_startsOpen && _pieces.Length > 0 ? _pieces[0].Plain : [];

    /// <summary>Whether nothing is asked for behind <see cref="Prefix"/>.</summary>
    public bool IsPrefixOnly => !_startsOpen && _endsOpen && _pieces.Length == 1;

    /// <summary>Whether a text fits.</summary>
    public bool Matches(ReadOnlySpan<byte> text)
    {
        if (_pieces.Length == 0) return _startsOpen || text.Length == 0;
        var first = 0;
        var last = _pieces.Length - 1;
        if (!_startsOpen)
        {
            var length = _pieces[0].PrefixOf(text);
            if (length < 0) return false;
            text = text[length..];
            if (last == 0) return _endsOpen || text.Length == 0;
            first = 1;
        }
        for (var i = first; i < (_endsOpen ? last + 1 : last); i++)
        {
            var end = _pieces[i].EndOfFirst(text);
            if (end < 0) return false;
            text = text[end..];
        }
        return _endsOpen || _pieces[last].IsSuffixOf(text);
    }

    private sealed class Piece(byte[] bytes, bool[]? any)
    {
        private readonly byte[] _bytes = bytes;

        /// <summary>The bytes, if there is no <c>_</c> among them.</summary>
        public ReadOnlySpan<byte> Plain => any is null ? _bytes : [];

        /// <summary>Bytes that fit at the start of a text; -1 if it does not fit.</summary>
        public int PrefixOf(ReadOnlySpan<byte> text)
        {
            if (any is null) return text.StartsWith(_bytes) ? _bytes.Length : -1;
            var at = 0;
            for (var i = 0; i < _bytes.Length; i++)
            {
                if (at >= text.Length) return -1;
                if (!any[i])
                {
                    if (text[at++] != _bytes[i]) return -1;
                    continue;
                }
                at += Utf8.LengthAt(text, at);
            }
            return at;
        }

        /// <summary>Where the first place that fits ends; -1 if there is none.</summary>
        public int EndOfFirst(ReadOnlySpan<byte> text)
        {
            if (any is null)
            {
                var found = text.IndexOf(_bytes);
                return found < 0 ? -1 : found + _bytes.Length;
            }
            // Tried at every character; where the piece begins with a byte of its own, only where that byte stands.
            for (var at = 0; at <= text.Length;)
            {
                if (!any[0])
                {
                    var next = text[at..].IndexOf(_bytes[0]);
                    if (next < 0) return -1;
                    at += next;
                }
                var length = PrefixOf(text[at..]);
                if (length >= 0) return at + length;
                if (at == text.Length) break;
                at += any[0] ? Utf8.LengthAt(text, at) : 1;
            }
            return -1;
        }

        public bool IsSuffixOf(ReadOnlySpan<byte> text)
        {
            if (any is null) return text.EndsWith(_bytes);
            // As many characters from the end as the piece has.
            var characters = 0;
            for (var i = 0; i < _bytes.Length; i++) characters += any[i] || !Utf8.IsContinuation(_bytes[i]) ? 1 : 0;
            var start = text.Length;
            for (; characters > 0 && start > 0; characters--)
            {
                do start--;
                while (start > 0 && Utf8.IsContinuation(text[start]));
            }
            return characters == 0 && PrefixOf(text[start..]) == text.Length - start;
        }
    }
}
