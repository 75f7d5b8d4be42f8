using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Rows;

/// <summary>
/// Remembers the number of each combination of codes for as long as batches share their dictionaries, so that a table is asked once a combination
/// and not once a row.
/// </summary>
internal sealed unsafe class DictionaryMemo
{
    private const int MostCombinations = 1 << 14;

    private readonly ushort[] _missing = new ushort[ColumnBatch.MaxRows];
    private readonly int[] _missingNumbers = new int[ColumnBatch.MaxRows];
    private readonly int[] _places = new int[ColumnBatch.MaxRows];
    private readonly int[] _missingPlaces = new int[ColumnBatch.MaxRows];
    private ColumnDictionary?[] _dictionaries = [];
    private int[] _numbers = [];
    private int _missingCount;

    /// <summary>Looks whether it can help, and which rows have combinations that it does not know.</summary>
    /// <param name="keys">The key columns.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="missing">A row for each combination that is new.</param>
    /// <param name="numbers">Where their numbers are to be put.</param>
    public bool TryBegin(ReadOnlySpan<ColumnVector> keys, ReadOnlySpan<ushort> rows, out ReadOnlySpan<ushort> missing, out Span<int> numbers)
    {
        missing = default;
        numbers = default;
        if (keys.Length == 0 || !Knows(keys)) return false;
        var places = _places.AsSpan(0, rows.Length);
        places.Clear();
        foreach (var key in keys)
        {
            var codes = key.Codes;
            var size = key.Dictionary!.Count + 1;
            if (key.Validity == null)
            {
                for (var i = 0; i < places.Length; i++) places[i] = (places[i] * size) + (int)codes[rows[i]] + 1;
            }
            else
            {
                for (var i = 0; i < places.Length; i++) places[i] = (places[i] * size) + (key.IsNull(rows[i]) ? 0 : (int)codes[rows[i]] + 1);
            }
        }
        _missingCount = 0;
        for (var i = 0; i < places.Length; i++)
        {
            ref var number = ref _numbers[places[i]];
            if (number != -1) continue;

            // Asked for once; the others find it when they come to look again.
            number = -2;
            _missingPlaces[_missingCount] = places[i];
            _missing[_missingCount++] = rows[i];
        }
        missing = _missing.AsSpan(0, _missingCount);
        numbers = _missingNumbers.AsSpan(0, _missingCount);
        return true;
    }

    /// <summary>Learns the numbers that were missing, and gives those of all rows.</summary>
    public void End(ReadOnlySpan<ushort> rows, Span<int> numbers)
    {
        for (var i = 0; i < _missingCount; i++) _numbers[_missingPlaces[i]] = _missingNumbers[i];
        for (var i = 0; i < rows.Length; i++) numbers[i] = _numbers[_places[i]];
    }

    /// <summary>Forgets all numbers.</summary>
    public void Forget() => _dictionaries = [];

    private bool Knows(ReadOnlySpan<ColumnVector> keys)
    {
        var isSame = _dictionaries.Length == keys.Length;
        var combinations = 1L;
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i].Form != VectorForm.Dictionary) return false;
            combinations *= keys[i].Dictionary!.Count + 1;
            if (combinations > MostCombinations) return false;
            isSame = isSame && ReferenceEquals(_dictionaries[i], keys[i].Dictionary);
        }
        if (isSame) return true;
        _dictionaries = new ColumnDictionary?[keys.Length];
        for (var i = 0; i < keys.Length; i++) _dictionaries[i] = keys[i].Dictionary;
        if (_numbers.Length < combinations) _numbers = new int[combinations];
        _numbers.AsSpan().Fill(-1);
        return true;
    }
}
