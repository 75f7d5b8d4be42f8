using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

/// <summary>What every compressed file must do, read and written through streams.</summary>
public sealed class CompressedStreamsTests
{
    private static readonly string[] Here =
        [.. CompressedStreams.Extensions.Where(extension => extension != ".zst" || CompressionCodecs.IsAvailable("zstd"))];

    public static TheoryData<string> Extensions => [.. Here];

    // Brotli has no frames to repeat; the others may follow one another, as the tools write them with >>.
    public static TheoryData<string> Concatenable => [.. Here.Where(extension => extension != ".br")];

    [Theory, MemberData(nameof(Extensions))]
    public void What_is_written_in_pieces_of_any_size_is_read_back_in_pieces_of_any_size(string extension)
    {
        var data = Sample.Of("mixed", 700_000);
        foreach (var piece in new[] { 999, 65_536, 300_000, int.MaxValue })
        {
            var file = CompressedFile.Write(extension, data, piece);
            using var stream = CompressedStreams.OpenRead(new MemoryStream(file), "data" + extension.ToUpperInvariant());
            var back = new byte[data.Length + 1];
            int at = 0, count;
            while ((count = stream.Read(back.AsSpan(at, Math.Min(piece % 8_191 + 1, back.Length - at)))) > 0)
                at += count;
            Assert.Equal(data.Length, at);
            Assert.True(back.AsSpan(0, at).SequenceEqual(data), $"pieces of {piece}");
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void Every_small_size_and_those_around_block_limits_come_back(string extension)
    {
        foreach (var length in Enumerable.Range(0, 70).Concat([65535, 65536, 65537, 131071, 131072, 131073, 262143, 262144, 262145, 524288]))
        {
            foreach (var kind in length < 70 ? Sample.Kinds : ["text", "random"])
            {
                var data = Sample.Of(kind, length, seed: length);
                Assert.True(CompressedFile.Read(extension, CompressedFile.Write(extension, data)).AsSpan().SequenceEqual(data), $"{length} bytes of {kind}");
            }
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void Bytes_one_by_one_and_flushes_in_between_come_back(string extension)
    {
        var data = Sample.Of("text", 3_000);
        var file = new MemoryStream();
        using (var stream = CompressedStreams.OpenWrite(file, "a" + extension, leaveOpen: true))
        {
            for (var at = 0; at < data.Length; at++)
            {
                stream.WriteByte(data[at]);
                if (at % 1000 != 500)
                    continue;

                // After a flush a reader of what is there so far gets every byte; of gzip all but 16, which may be the mark of the end.
                stream.Flush();
                using var partial = CompressedStreams.OpenRead(new MemoryStream(file.ToArray()), "a" + extension);
                var soFar = new byte[at + 1 - (extension == ".gz" ? 16 : 0)];
                partial.ReadExactly(soFar);
                Assert.True(soFar.AsSpan().SequenceEqual(data.AsSpan(0, soFar.Length)));
            }
        }

        file.Position = 0;
        using var reader = CompressedStreams.OpenRead(file, "a" + extension);
        foreach (var value in data)
            Assert.Equal(value, reader.ReadByte());
        Assert.Equal(-1, reader.ReadByte());
        Assert.Equal(-1, reader.ReadByte());
    }

    [Theory, MemberData(nameof(Extensions))]
    public void A_source_that_gives_a_byte_at_a_time_reads_the_same(string extension)
    {
        var data = Sample.Of("mixed", 30_000);
        using var stream = CompressedStreams.OpenRead(new Trickle(CompressedFile.Write(extension, data)), "a" + extension);
        var raw = new MemoryStream();
        stream.CopyTo(raw);
        Assert.True(raw.ToArray().AsSpan().SequenceEqual(data));
    }

    [Theory, MemberData(nameof(Concatenable))]
    public void Files_one_after_another_read_as_one(string extension)
    {
        // Sizes such that ends fall on every place of a reader's buffer.
        var parts = Enumerable.Range(0, 120).Select(i => Sample.Of(Sample.Kinds[i % 3], i * 37 % 300, seed: i)).ToArray();
        var file = parts.SelectMany(part => CompressedFile.Write(extension, part)).ToArray();
        Assert.True(CompressedFile.Read(extension, file).AsSpan().SequenceEqual(parts.SelectMany(part => part).ToArray()));
    }

    [Theory, MemberData(nameof(Extensions))]
    public void A_file_of_no_bytes_is_empty_and_nothing_written_makes_a_valid_file(string extension)
    {
        Assert.Empty(CompressedFile.Read(extension, []));
        var nothing = CompressedFile.Write(extension, []);
        Assert.NotEmpty(nothing);
        Assert.Empty(CompressedFile.Read(extension, nothing));
    }

    [Theory, MemberData(nameof(Extensions))]
    public void A_file_cut_short_anywhere_is_an_error_that_names_it(string extension)
    {
        var data = Sample.Of("text", 900).Concat(Sample.Of("random", 400)).ToArray();
        var file = CompressedFile.Write(extension, data);
        for (var length = 1; length < file.Length; length++)
        {
            // Snappy's format has no end: ten bytes of identifier and no chunk are a whole file.
            if (extension is ".snappy" or ".sz" && length == 10)
                continue;
            var error = Assert.Throws<CorruptDataException>(() => CompressedFile.Read(extension, file[..length]));
            Assert.Equal("folder/file" + extension, error.Path);
            Assert.Contains("folder/file" + extension, error.Message);
            Assert.InRange(error.Offset!.Value, 0, length);
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void A_changed_byte_is_found_out_or_changes_nothing(string extension)
    {
        var data = Sample.Of("text", 600).Concat(Sample.Of("random", 200)).Concat(Sample.Of("zeros", 500)).ToArray();
        var file = CompressedFile.Write(extension, data);
        for (var at = 0; at < file.Length; at++)
        {
            foreach (var flip in new byte[] { 0x01, 0x80, 0xFF })
            {
                // A chunk of Snappy's whose type becomes 0x80 asks to be skipped.
                if (extension is ".snappy" or ".sz" && at == 10 && flip == 0x80)
                    continue;
                var changed = (byte[])file.Clone();
                changed[at] ^= flip;
                try
                {
                    // Brotli alone carries no checksum.
                    var back = CompressedFile.Read(extension, changed);
                    Assert.True(extension == ".br" || back.AsSpan().SequenceEqual(data), $"{extension}: byte {at} ^ {flip:X2} went unnoticed");
                }
                catch (CorruptDataException error)
                {
                    Assert.InRange(error.Offset!.Value, 0, file.Length + 1);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void Mutilated_files_give_the_typed_error_or_an_end(string extension)
    {
        var data = Sample.Of("mixed", 20_000);
        var file = CompressedFile.Write(extension, data);
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var bytes = file.ToList();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(bytes.Count);
                if (random.Next(2) == 0)
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 50)));
                else
                    bytes.InsertRange(at, Sample.Of(random.Next(2) == 0 ? "random" : "zeros", random.Next(1, 50), seed));
            }

            try
            {
                CompressedFile.Read(extension, [.. bytes]);
            }
            catch (CorruptDataException)
            {
            }
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void After_an_error_every_later_read_fails_too(string extension)
    {
        var file = CompressedFile.Write(extension, Sample.Of("random", 300_000));
        using var stream = CompressedStreams.OpenRead(new MemoryStream(file[..200_000]), "a" + extension);
        Assert.Throws<CorruptDataException>(() => stream.CopyTo(Stream.Null));
        Assert.Throws<CorruptDataException>(() => stream.ReadByte());
        Assert.Throws<CorruptDataException>(() => stream.Read(new byte[10], 0, 10));
    }

    [Theory, MemberData(nameof(Extensions))]
    public void Something_else_under_the_name_is_an_error(string extension)
    {
        Assert.Throws<CorruptDataException>(() => CompressedFile.Read(extension, "This is no compressed file, but its name says so."u8.ToArray()));
        Assert.Throws<CorruptDataException>(() => CompressedFile.Read(extension, [.. CompressedFile.Write(extension, [1, 2, 3]), .. "and then some more that is not"u8]));
    }

    [Theory, MemberData(nameof(Extensions))]
    public void The_file_is_closed_with_the_stream_unless_told_not_to(string extension)
    {
        foreach (var leaveOpen in new[] { false, true })
        {
            var written = new MemoryStream();
            var writer = CompressedStreams.OpenWrite(written, "a" + extension, leaveOpen);
            writer.Write([1, 2, 3]);
            writer.Dispose();
            writer.Dispose();
            Assert.Equal(leaveOpen, written.CanWrite);
            Assert.Throws<ObjectDisposedException>(() => writer.Write([1]));

            var read = new MemoryStream(written.ToArray());
            var reader = CompressedStreams.OpenRead(read, "a" + extension, leaveOpen);
            Assert.Equal(1, reader.ReadByte());
            reader.Dispose();
            reader.Dispose();
            Assert.Equal(leaveOpen, read.CanRead);
            Assert.Throws<ObjectDisposedException>(() => reader.ReadByte());
        }
    }

    [Theory, MemberData(nameof(Extensions))]
    public void After_a_failed_write_no_end_is_written(string extension)
    {
        var disk = new FullDisk(room: 100_000);
        var stream = CompressedStreams.OpenWrite(disk, "a" + extension);
        Assert.Throws<IOException>(() =>
        {
            stream.Write(Sample.Of("random", 1_000_000));
            stream.Flush();
        });
        Assert.Throws<InvalidOperationException>(() => stream.Write([1]));
        var written = disk.Written;
        stream.Dispose();
        Assert.Equal(written, disk.Written);
        Assert.True(disk.Disposed);
    }

    [Fact]
    public void Other_extensions_are_read_and_written_as_they_are()
    {
        var stream = new MemoryStream();
        foreach (var path in new[] { "a.txt", "a.gz/part-00000", "gz", "" })
        {
            Assert.False(CompressedStreams.IsCompressed(path));
            Assert.Same(stream, CompressedStreams.OpenRead(stream, path));
            Assert.Same(stream, CompressedStreams.OpenWrite(stream, path));
        }

        Assert.True(CompressedStreams.IsCompressed("logs/a.txt.GZ"));
    }

    [Fact]
    public void A_stream_says_what_it_cannot_do()
    {
        using var reader = CompressedStreams.OpenRead(new MemoryStream(), "a.lz4");
        using var writer = CompressedStreams.OpenWrite(new MemoryStream(), "a.lz4");
        Assert.True(reader.CanRead && !reader.CanWrite && !reader.CanSeek && writer.CanWrite && !writer.CanRead && !writer.CanSeek);
        Assert.Throws<NotSupportedException>(() => reader.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => reader.Length);
        Assert.Throws<NotSupportedException>(() => reader.Write([1], 0, 1));
        Assert.Throws<NotSupportedException>(() => writer.Read(new byte[1], 0, 1));
    }

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));
    }

    private sealed class FullDisk(int room) : MemoryStream
    {
        public long Written { get; private set; }

        public bool Disposed { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Written + buffer.Length > room)
                throw new IOException("No space left on device.");
            Written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            Disposed = true;
            base.Dispose(disposing);
        }
    }
}
