using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Tasks;

namespace Dataflow.Sql.Physical;

/// <summary>Makes a row of each part of a text. Parts lie in their view, or point into the text: nothing is made of them.</summary>
/// <param name="Text">Position of the text.</param>
/// <param name="Separators">ASCII characters.</param>
/// <param name="Passed">Positions of the columns that go along.</param>
/// <param name="Columns">Those columns, and that of the parts.</param>
/// <param name="Input">The rows.</param>
public sealed record SplitRowsExec(int Text, string Separators, ValueList<int> Passed, ValueList<ColumnReference> Columns, PhysicalPlan Input) : PhysicalPlan
{
    /// <inheritdoc/>
    public override ValueList<ColumnReference> Output => Columns;

    /// <inheritdoc/>
    public override ValueList<PhysicalPlan> Inputs => [Input];

    /// <inheritdoc/>
    public override string Describe() => $"SplitRows {Input.Output[Text]} [{Columns}]";

    /// <inheritdoc/>
    protected internal override Rdd<ColumnBatch> MakeRdd(QueryRun run) =>
        new OperatorRdd("SplitRows", Input.ToRdd(run), new Step(Text, [.. Separators.Select(each => (byte)each)], Passed, [.. Passed.Select(each => Input.Output[each].Type)]));

    private sealed class Step(int text, byte[] separators, ValueList<int> passed, ValueList<DataType> types) : BatchOperator
    {
        public override BatchReader Open(BatchReader input, TaskContext context) => new Reader(input, context, text, separators, passed, types);
    }

    private sealed unsafe class Reader : BatchReader
    {
        private readonly BatchReader _input;
        private readonly TaskArena _arena;
        private readonly int _text;
        private readonly byte[] _separators;
        private readonly ValueList<int> _passed;
        private readonly VectorGather[] _gathers;
        private readonly FlatVector _parts;
        private readonly ushort[] _rows = new ushort[ColumnBatch.MaxRows];
        private readonly ColumnBatch _batch;
        private ColumnBatch? _read;
        private int _row;
        private int _at;

        public Reader(BatchReader input, TaskContext context, int text, byte[] separators, ValueList<int> passed, ValueList<DataType> types)
        {
            (_input, _text, _separators, _passed) = (input, text, separators, passed);
            _arena = new TaskArena(context, "parts of text");
            _gathers = [.. types.Select(type => new VectorGather(_arena, type))];
            _parts = new FlatVector(_arena, DataType.String);
            _batch = new ColumnBatch([.. types.Select(type => new ColumnVector(type)), _parts.Vector]);
        }

        public override bool TryNext(out ColumnBatch batch)
        {
            batch = _batch;
            while (true)
            {
                if (_read is null)
                {
                    if (!_input.TryNext(out _read!))
                    {
                        _read = null;
                        return false;
                    }
                    (_row, _at) = (0, 0);
                }
                var read = _read;
                var count = Fill(read);
                if (_row == read.Alive) _read = null;
                if (count == 0) continue;
                for (var i = 0; i < _passed.Count; i++) _batch.Columns[i].Share(_gathers[i].Gather(read.Columns[_passed[i]], _rows.AsSpan(0, count)));
                _parts.Set(count, hasNulls: false);
                _batch.Set(count);
                return true;
            }
        }

        public override void Dispose()
        {
            _input.Dispose();
            _arena.Dispose();
            base.Dispose();
        }

        // Until the batch is full or the rows are done; where it stopped stands in _row and _at.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Fill(ColumnBatch read)
        {
            var texts = read.Columns[_text];
            var selection = read.Selection;
            var views = (StringView*)_parts.Data;
            var count = 0;
            while (_row < selection.Length)
            {
                var row = selection[_row];
                if (!texts.IsNull(row))
                {
                    var view = (StringView*)texts.ValueAt(row);
                    var before = count;
                    _at = Split(StringView.PointerOf(view), view->Length, _at, views, ref count);
                    _rows.AsSpan(before, count - before).Fill(row);
                    if (_at < view->Length) return count;
                }
                _at = 0;
                _row++;
            }
            return count;
        }

        /// <summary>Adds parts of a text.</summary>
        /// <returns>Where the first part begins for which there was no room; the length of the text if there was for all.</returns>
        private int Split(byte* text, int length, int from, StringView* views, ref int count)
        {
            var tail = stackalloc byte[Vector256<byte>.Count];
            var begin = from;
            for (var block = from; block < length; block += Vector256<byte>.Count)
            {
                var left = length - block;
                Vector256<byte> bytes;
                if (left >= Vector256<byte>.Count)
                {
                    bytes = Vector256.Load(text + block);
                }
                else
                {
                    // Behind the end there may be nothing that can be read.
                    Unsafe.CopyBlockUnaligned(tail, text + block, (uint)left);
                    bytes = Vector256.Load(tail);
                }
                var found = Vector256<byte>.Zero;
                foreach (var separator in _separators) found |= Vector256.Equals(bytes, Vector256.Create(separator));
                var bits = found.ExtractMostSignificantBits();
                if (left < Vector256<byte>.Count) bits &= (1u << left) - 1;
                for (; bits != 0; bits &= bits - 1)
                {
                    var end = block + BitOperations.TrailingZeroCount(bits);
                    if (end > begin)
                    {
                        if (count == ColumnBatch.MaxRows) return begin;
                        Put(views + count++, text + begin, end - begin, length - begin);
                    }
                    begin = end + 1;
                }
            }
            if (begin >= length) return length;
            if (count == ColumnBatch.MaxRows) return begin;
            Put(views + count++, text + begin, length - begin, length - begin);
            return length;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Put(StringView* view, byte* part, int length, int readable)
        {
            if (readable < StringView.MaxInline || length > StringView.MaxInline)
            {
                *view = StringView.Of(part, length);
                return;
            }

            // Twelve bytes at once, without those behind the part.
            var prefix = Unsafe.ReadUnaligned<uint>(part);
            var rest = Unsafe.ReadUnaligned<ulong>(part + 4);
            prefix = length >= 4 ? prefix : prefix & (uint)((1UL << (8 * length)) - 1);
            rest = length >= 12 ? rest : length <= 4 ? 0 : rest & ((1UL << (8 * (length - 4))) - 1);
            ((ulong*)view)[0] = (uint)length | ((ulong)prefix << 32);
            ((ulong*)view)[1] = rest;
        }
    }
}
