namespace Dataflow.Cluster;

/// <summary>An executor is to fetch a piece.</summary>
/// <param name="Executor">Who fetches.</param>
/// <param name="Piece">Which piece.</param>
/// <param name="Source">The executor that has it; null for the driver.</param>
internal readonly record struct PieceGrant(int Executor, int Piece, int? Source);

/// <summary>
/// Decides from whom executors fetch the pieces of one value (or workers the files of one program), so that each piece leaves the driver about once however many want it. Who has a piece
/// gives it to others at once, to few at a time; who can be served by nobody yet waits. A pure machine: calls go in, grants come out.
/// </summary>
/// <remarks>Each executor fetches one piece at a time, and the rarest that it can have first, so that pieces spread evenly.</remarks>
/// <param name="pieces">Of how many pieces the value consists.</param>
internal sealed class BroadcastSwarm(int pieces)
{
    /// <summary>How many fetch from one executor at once.</summary>
    public const int MostFromPeer = 2;

    /// <summary>How many fetch from the driver at once.</summary>
    public const int MostFromDriver = 2;

    private readonly Dictionary<int, Member> _members = [];
    private readonly LinkedList<int> _waiting = new();
    private readonly int[] _holders = new int[pieces];
    private readonly bool[] _leaving = new bool[pieces];
    private readonly List<PieceGrant> _grants = [];
    private int _fromDriver;

    /// <summary>Of how many pieces the value consists.</summary>
    public int Pieces => pieces;

    /// <summary>How many pieces have been taken from the driver.</summary>
    public int LeftDriver { get; private set; }

    /// <summary>An executor wants the next piece that it lacks.</summary>
    public IReadOnlyList<PieceGrant> Want(int executor)
    {
        _grants.Clear();
        if (!_members.TryGetValue(executor, out var member)) _members.Add(executor, member = new Member(pieces));
        if (member.Fetching is null && member.Count < pieces && !TryServe(executor, member) && !_waiting.Contains(executor)) _waiting.AddLast(executor);
        return _grants;
    }

    /// <summary>An executor begins, or begins again: it has these pieces, whoever gave them, and fetches none.</summary>
    public IReadOnlyList<PieceGrant> Begin(int executor, ReadOnlySpan<int> has)
    {
        _grants.Clear();
        if (!_members.TryGetValue(executor, out var member)) _members.Add(executor, member = new Member(pieces));
        var source = member.Fetching?.Source;
        var fetched = member.Fetching is not null;
        if (fetched) Release(member);
        foreach (var piece in has)
        {
            if ((uint)piece >= (uint)pieces || member.Has[piece]) continue;
            member.Has[piece] = true;
            member.Count++;
            _holders[piece]++;
        }
        if (member.Count == pieces) _waiting.Remove(executor);
        if (fetched) Serve(source);
        Serve(executor);
        return _grants;
    }

    /// <summary>An executor has fetched what it was granted, or could not.</summary>
    public IReadOnlyList<PieceGrant> Got(int executor, int piece, bool whole)
    {
        _grants.Clear();
        if (!_members.TryGetValue(executor, out var member) || member.Fetching is not { } fetching || fetching.Piece != piece) return _grants;
        Release(member);
        if (whole)
        {
            member.Has[piece] = true;
            member.Count++;
            _holders[piece]++;
        }
        else if (fetching.Source is { } source)
        {
            member.Avoids.Add(source);
        }
        Serve(fetching.Source);
        if (whole) Serve(executor);
        return _grants;
    }

    /// <summary>An executor is gone, with what it had. Those that fetch from it say so themselves.</summary>
    public IReadOnlyList<PieceGrant> Lost(int executor)
    {
        _grants.Clear();
        if (!_members.Remove(executor, out var member)) return _grants;
        _waiting.Remove(executor);
        for (var piece = 0; piece < pieces; piece++)
        {
            if (member.Has[piece]) _holders[piece]--;
        }
        var source = member.Fetching?.Source;
        if (member.Fetching is not null) Release(member);
        Serve(source);

        // It may have been the last that had a piece.
        Serve(null);
        return _grants;
    }

    private void Release(Member member)
    {
        var (piece, source) = member.Fetching!.Value;
        member.Fetching = null;
        if (source is { } peer)
        {
            if (_members.TryGetValue(peer, out var holder)) holder.Uploads--;
            return;
        }
        _fromDriver--;
        _leaving[piece] = false;
    }

    /// <summary>A source has room, or something new: it serves those that wait longest.</summary>
    private void Serve(int? source)
    {
        var next = _waiting.First;
        while (next is not null && HasRoom(source))
        {
            var (node, executor) = (next, next.Value);
            next = next.Next;
            var member = _members[executor];
            if (PieceFrom(source, executor, member) is not { } piece) continue;
            _waiting.Remove(node);
            Grant(executor, member, piece, source);
        }
    }

    private bool TryServe(int executor, Member member)
    {
        (int Piece, int? Source)? best = null;
        foreach (var (peer, holder) in _members)
        {
            if (holder.Count == 0 || holder.Uploads >= MostFromPeer || PieceFrom(peer, executor, member) is not { } piece) continue;
            if (best is null || _holders[piece] < _holders[best.Value.Piece]) best = (piece, peer);
        }
        if (best is null && HasRoom(null) && PieceFrom(null, executor, member) is { } own) best = (own, null);
        if (best is not { } found) return false;
        Grant(executor, member, found.Piece, found.Source);
        return true;
    }

    private bool HasRoom(int? source) => source is { } peer
        ? _members.TryGetValue(peer, out var holder) && holder.Uploads < MostFromPeer
        : _fromDriver < MostFromDriver;

    /// <summary>The rarest piece that one lacks and the other may give.</summary>
    private int? PieceFrom(int? source, int executor, Member member)
    {
        if (source == executor || (source is { } avoided && member.Avoids.Contains(avoided))) return null;
        int? best = null;
        for (var i = 0; i < pieces; i++)
        {
            // Each begins elsewhere, so that equally rare pieces spread too.
            var piece = (int)(((uint)executor + (uint)i) % pieces);
            if (member.Has[piece] || (best is { } known && _holders[piece] >= _holders[known])) continue;
            if (source is { } peer ? _members[peer].Has[piece] : !_leaving[piece] && NobodyGives(piece, member)) best = piece;
        }
        return best;
    }

    private bool NobodyGives(int piece, Member member) => _holders[piece] == 0
        || (member.Avoids.Count > 0 && !_members.Any(other => other.Value.Has[piece] && !member.Avoids.Contains(other.Key)));

    private void Grant(int executor, Member member, int piece, int? source)
    {
        member.Fetching = (piece, source);
        if (source is { } peer)
        {
            _members[peer].Uploads++;
        }
        else
        {
            _fromDriver++;
            _leaving[piece] = true;
            LeftDriver++;
        }
        _grants.Add(new PieceGrant(executor, piece, source));
    }

    private sealed class Member(int pieces)
    {
        public bool[] Has { get; } = new bool[pieces];

        public int Count { get; set; }

        public int Uploads { get; set; }

        public (int Piece, int? Source)? Fetching { get; set; }

        /// <summary>From whom it could not fetch.</summary>
        public HashSet<int> Avoids { get; } = [];
    }
}
