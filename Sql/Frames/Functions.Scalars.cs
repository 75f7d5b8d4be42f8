namespace Dataflow.Sql;

public static partial class Functions
{
    /// <summary>The magnitude. (<c>abs</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Abs(Column column) => Call("abs", column);

    /// <summary>The square root. (<c>sqrt</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Sqrt(Column column) => Call("sqrt", column);

    /// <summary>e to the power of the value. (<c>exp</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Exp(Column column) => Call("exp", column);

    /// <summary>The natural logarithm. (<c>ln</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Ln(Column column) => Call("ln", column);

    /// <summary>The logarithm to base 10. (<c>log10</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Log10(Column column) => Call("log10", column);

    /// <summary>The logarithm to base 2. (<c>log2</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Log2(Column column) => Call("log2", column);

    /// <summary>The next whole number that is not less. (<c>ceil</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Ceil(Column column) => Call("ceil", column);

    /// <summary>The next whole number that is not greater. (<c>floor</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Floor(Column column) => Call("floor", column);

    /// <summary>-1, 0 or 1. (<c>sign</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Sign(Column column) => Call("sign", column);

    /// <summary>The sine. (<c>sin</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Sin(Column column) => Call("sin", column);

    /// <summary>The cosine. (<c>cos</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Cos(Column column) => Call("cos", column);

    /// <summary>The tangent. (<c>tan</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Tan(Column column) => Call("tan", column);

    /// <summary>The inverse sine. (<c>asin</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Asin(Column column) => Call("asin", column);

    /// <summary>The inverse cosine. (<c>acos</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Acos(Column column) => Call("acos", column);

    /// <summary>The inverse tangent. (<c>atan</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Atan(Column column) => Call("atan", column);

    /// <summary>Radians as degrees. (<c>degrees</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Degrees(Column column) => Call("degrees", column);

    /// <summary>Degrees as radians. (<c>radians</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Radians(Column column) => Call("radians", column);

    /// <summary>The text in lower case. (<c>lower</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Lower(Column column) => Call("lower", column);

    /// <summary>The text in upper case. (<c>upper</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Upper(Column column) => Call("upper", column);

    /// <summary>The text with words that begin in upper case. (<c>initcap</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column InitCap(Column column) => Call("initcap", column);

    /// <summary>How many characters a text has, or bytes a binary. (<c>length</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Length(Column column) => Call("length", column);

    /// <summary>The text without blanks around it. (<c>trim</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Trim(Column column) => Call("trim", column);

    /// <summary>The text without blanks before it. (<c>ltrim</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column TrimStart(Column column) => Call("ltrim", column);

    /// <summary>The text without blanks behind it. (<c>rtrim</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column TrimEnd(Column column) => Call("rtrim", column);

    /// <summary>The text from its end. (<c>reverse</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Reverse(Column column) => Call("reverse", column);

    /// <summary>The code of the first character. (<c>ascii</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Ascii(Column column) => Call("ascii", column);

    /// <summary>The MD5 hash as hexadecimal text. (<c>md5</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Md5(Column column) => Call("md5", column);

    /// <summary>The year of a day or time. (<c>year</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Year(Column column) => Call("year", column);

    /// <summary>The quarter, 1 to 4. (<c>quarter</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Quarter(Column column) => Call("quarter", column);

    /// <summary>The month, 1 to 12. (<c>month</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Month(Column column) => Call("month", column);

    /// <summary>The day of the month. (<c>day</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Day(Column column) => Call("day", column);

    /// <summary>1 for Sunday to 7 for Saturday. (<c>dayofweek</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column DayOfWeek(Column column) => Call("dayofweek", column);

    /// <summary>The day of the year. (<c>dayofyear</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column DayOfYear(Column column) => Call("dayofyear", column);

    /// <summary>The ISO week. (<c>weekofyear</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column WeekOfYear(Column column) => Call("weekofyear", column);

    /// <summary>The hour. (<c>hour</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Hour(Column column) => Call("hour", column);

    /// <summary>The minute. (<c>minute</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Minute(Column column) => Call("minute", column);

    /// <summary>The second. (<c>second</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column Second(Column column) => Call("second", column);

    /// <summary>The last day of the month. (<c>last_day</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column LastDay(Column column) => Call("last_day", column);

    /// <summary>A text or time as a day. (<c>to_date</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column ToDate(Column column) => Call("to_date", column);

    /// <summary>A text or day as a time. (<c>to_timestamp</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column ToTimestamp(Column column) => Call("to_timestamp", column);

    /// <summary>Seconds since 1970. (<c>unix_timestamp</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column UnixTimestamp(Column column) => Call("unix_timestamp", column);

    /// <summary>Whether it is a floating-point number that is none. (<c>isnan</c>)</summary>
    /// <param name="column">The column.</param>
    public static Column IsNaN(Column column) => Call("isnan", column);

    /// <summary>x to the power of y. (<c>pow</c>)</summary>
    /// <param name="x">A column or a value.</param>
    /// <param name="y">A column or a value.</param>
    public static Column Pow(Column x, object y) => Call("pow", x, Column.Of(y));

    /// <summary>What is left of a division, never negative for a positive divisor. (<c>pmod</c>)</summary>
    /// <param name="a">A column or a value.</param>
    /// <param name="b">A column or a value.</param>
    public static Column PositiveMod(Column a, object b) => Call("pmod", a, Column.Of(b));

    /// <summary>The first, or null if both are equal. (<c>nullif</c>)</summary>
    /// <param name="a">A column or a value.</param>
    /// <param name="b">A column or a value.</param>
    public static Column NullIf(Column a, object b) => Call("nullif", a, Column.Of(b));

    /// <summary>The angle of the point (x, y). (<c>atan2</c>)</summary>
    /// <param name="y">A column or a value.</param>
    /// <param name="x">A column or a value.</param>
    public static Column Atan2(Column y, object x) => Call("atan2", y, Column.Of(x));

    /// <summary>A day that many days later. (<c>date_add</c>)</summary>
    /// <param name="date">A column or a value.</param>
    /// <param name="days">A column or a value.</param>
    public static Column DateAdd(Column date, object days) => Call("date_add", date, Column.Of(days));

    /// <summary>A day that many days earlier. (<c>date_sub</c>)</summary>
    /// <param name="date">A column or a value.</param>
    /// <param name="days">A column or a value.</param>
    public static Column DateSub(Column date, object days) => Call("date_sub", date, Column.Of(days));

    /// <summary>Days from the second day to the first. (<c>datediff</c>)</summary>
    /// <param name="end">A column or a value.</param>
    /// <param name="start">A column or a value.</param>
    public static Column DateDiff(Column end, object start) => Call("datediff", end, Column.Of(start));

    /// <summary>When the window begins that a time falls into: windows of a length follow each other from 1970-01-01 00:00 UTC on. (<c>window_start</c>)</summary>
    /// <remarks>With a slide they overlap, and a row is repeated for each window that its time falls into; rows without a time are left out then.
    /// To select or to group by; a frame has sliding windows of one kind at a time.</remarks>
    /// <param name="time">A column of times.</param>
    /// <param name="length">More than zero.</param>
    /// <param name="slide">How long after a window the next begins: at most as long as they are; zero for as long.</param>
    /// <param name="offset">How much later windows begin.</param>
    /// <returns>A column called <c>window</c>; its end is as much later as windows are long.</returns>
    public static Column Window(Column time, TimeSpan length, TimeSpan slide = default, TimeSpan offset = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(length, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(slide, TimeSpan.Zero);
        if (slide == TimeSpan.Zero) slide = length;
        var isPlain = slide == length && offset == TimeSpan.Zero;
        return (isPlain ? Call("window_start", time, Lit(length)) : Call("window_start", time, Lit(length), Lit(slide), Lit(offset))).As("window");
    }

    /// <summary>The last microsecond of a window, to group windows by longer ones: <c>Window(WindowTime(Col("window")), TimeSpan.FromHours(1))</c>. (<c>window_time</c>)</summary>
    /// <remarks>Of a window as SQL's <c>window(time, length)</c> and <c>session_window(time, gap)</c> have it, which is two columns, <c>window.start</c> and <c>window.end</c>.</remarks>
    /// <param name="window">The name that the two columns begin with.</param>
    public static Column WindowTime(Column window) => Call("window_time", window);

    /// <summary>The last microsecond of a window that begins at a time, as <see cref="Window"/> gives it. (<c>window_time</c>)</summary>
    /// <param name="start">When it begins.</param>
    /// <param name="length">How long it is. More than zero.</param>
    public static Column WindowTime(Column start, TimeSpan length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(length, TimeSpan.Zero);
        return Call("window_time", start, Lit(length));
    }

    /// <summary>When the session begins that a row is in, to group by: its rows have equal other keys, and times less than a gap apart. (<c>session_start</c>)</summary>
    /// <remarks>A key of <c>GroupBy</c>, by itself, and one kind of sessions only. Rows without a time are left out.</remarks>
    /// <param name="time">A column of times.</param>
    /// <param name="gap">Rows so far apart are of two sessions. More than zero.</param>
    /// <returns>A column called <c>session</c>: the time of its first row.</returns>
    public static Column SessionWindow(Column time, TimeSpan gap)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(gap, TimeSpan.Zero);
        return Call("session_start", time, Lit(gap)).As("session");
    }

    /// <summary>When a session ends: a gap behind its last row. Beside aggregates by <see cref="SessionWindow"/>, or a key in its place. (<c>session_end</c>)</summary>
    /// <param name="time">The column of times that the session goes by.</param>
    /// <param name="gap">Its gap.</param>
    public static Column SessionEnd(Column time, TimeSpan gap)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(gap, TimeSpan.Zero);
        return Call("session_end", time, Lit(gap));
    }

    /// <summary>A day that many months later. (<c>add_months</c>)</summary>
    /// <param name="date">A column or a value.</param>
    /// <param name="months">A column or a value.</param>
    public static Column AddMonths(Column date, object months) => Call("add_months", date, Column.Of(months));

    /// <summary>Months between two times. (<c>months_between</c>)</summary>
    /// <param name="end">A column or a value.</param>
    /// <param name="start">A column or a value.</param>
    public static Column MonthsBetween(Column end, object start) => Call("months_between", end, Column.Of(start));

    /// <summary>A text several times. (<c>repeat</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="count">A column or a value.</param>
    public static Column Repeat(Column text, object count) => Call("repeat", text, Column.Of(count));

    /// <summary>Where a part stands in a text, from 1; 0 if nowhere. (<c>instr</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="part">A column or a value.</param>
    public static Column IndexOf(Column text, object part) => Call("instr", text, Column.Of(part));

    /// <summary>A text with each occurrence of a part replaced. (<c>replace</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="search">A column or a value.</param>
    /// <param name="replacement">A column or a value.</param>
    public static Column Replace(Column text, object search, object replacement) => Call("replace", text, Column.Of(search), Column.Of(replacement));

    /// <summary>A text filled up from the left. (<c>lpad</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="length">A column or a value.</param>
    /// <param name="filling">A column or a value.</param>
    public static Column PadStart(Column text, object length, object filling) => Call("lpad", text, Column.Of(length), Column.Of(filling));

    /// <summary>A text filled up from the right. (<c>rpad</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="length">A column or a value.</param>
    /// <param name="filling">A column or a value.</param>
    public static Column PadEnd(Column text, object length, object filling) => Call("rpad", text, Column.Of(length), Column.Of(filling));

    /// <summary>A text with what a regular expression finds replaced. (<c>regexp_replace</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="pattern">A column or a value.</param>
    /// <param name="replacement">A column or a value.</param>
    public static Column RegexReplace(Column text, object pattern, object replacement) => Call("regexp_replace", text, Column.Of(pattern), Column.Of(replacement));

    /// <summary>Part of a text; the first character is 1. (<c>substring</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="start">A column or a value.</param>
    /// <param name="length">A column or a value.</param>
    public static Column Substring(Column text, object start, object length) => Call("substring", text, Column.Of(start), Column.Of(length));

    /// <summary>A text with characters replaced one by one. (<c>translate</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="from">A column or a value.</param>
    /// <param name="to">A column or a value.</param>
    public static Column Translate(Column text, object from, object to) => Call("translate", text, Column.Of(from), Column.Of(to));

    /// <summary>A part of a text between delimiters, from 1. (<c>split_part</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="delimiter">A column or a value.</param>
    /// <param name="number">A column or a value.</param>
    public static Column SplitPart(Column text, object delimiter, object number) => Call("split_part", text, Column.Of(delimiter), Column.Of(number));

    /// <summary>What stands before that many delimiters. (<c>substring_index</c>)</summary>
    /// <param name="text">A column or a value.</param>
    /// <param name="delimiter">A column or a value.</param>
    /// <param name="count">A column or a value.</param>
    public static Column SubstringIndex(Column text, object delimiter, object count) => Call("substring_index", text, Column.Of(delimiter), Column.Of(count));

    /// <summary>The first value that is not null. (<c>coalesce</c>)</summary>
    /// <param name="columns">The columns.</param>
    public static Column Coalesce(params Column[] columns) => Call("coalesce", columns);

    /// <summary>The largest value; nulls are passed over. (<c>greatest</c>)</summary>
    /// <param name="columns">The columns.</param>
    public static Column Greatest(params Column[] columns) => Call("greatest", columns);

    /// <summary>The smallest value; nulls are passed over. (<c>least</c>)</summary>
    /// <param name="columns">The columns.</param>
    public static Column Least(params Column[] columns) => Call("least", columns);

    /// <summary>Texts one behind the other. (<c>concat</c>)</summary>
    /// <param name="columns">The columns.</param>
    public static Column Concat(params Column[] columns) => Call("concat", columns);

    /// <summary>Texts one behind the other with another between; nulls are passed over. (<c>concat_ws</c>)</summary>
    /// <param name="separator">What stands between.</param>
    /// <param name="columns">The columns.</param>
    public static Column ConcatWith(string separator, params Column[] columns) => Call("concat_ws", [Lit(separator), .. columns]);

    /// <summary>A number with that many digits behind the point, halves away from zero. (<c>round</c>)</summary>
    /// <param name="column">The number.</param>
    /// <param name="digits">Digits behind the point.</param>
    public static Column Round(Column column, int digits = 0) => Call("round", column, Lit(digits));

    /// <summary>A day or time cut to the beginning of its year, month and so on. (<c>date_trunc</c>)</summary>
    /// <param name="unit"><c>year</c>, <c>month</c>, <c>day</c>, <c>hour</c> ...</param>
    /// <param name="column">The time.</param>
    public static Column DateTrunc(string unit, Column column) => Call("date_trunc", Lit(unit), column);

    /// <summary>A day or time as text. (<c>date_format</c>)</summary>
    /// <param name="column">The day or time.</param>
    /// <param name="format">The format, such as <c>yyyy-MM</c>.</param>
    public static Column DateFormat(Column column, string format) => Call("date_format", column, Lit(format));

    /// <summary>What a group of a regular expression finds in a text; empty if nothing. (<c>regexp_extract</c>)</summary>
    /// <param name="column">The text.</param>
    /// <param name="pattern">The expression, in .NET's syntax.</param>
    /// <param name="group">Which group; 0 for all that was found.</param>
    public static Column RegexExtract(Column column, string pattern, int group = 1) => Call("regexp_extract", column, Lit(pattern), Lit(group));

    /// <summary>What stands at a place of a JSON text, as text: cast it to its type. Null if nothing stands there, or the text is no JSON. (<c>get_json_object</c>)</summary>
    /// <remarks>Each call reads the text anew.</remarks>
    /// <param name="column">The text.</param>
    /// <param name="path">The place, as <c>$.user.tags[0]</c>.</param>
    public static Column GetJsonObject(Column column, string path) => Call("get_json_object", column, Lit(path));

    /// <summary>Today, in the session's zone. (<c>current_date</c>)</summary>
    public static Column CurrentDate() => Call("current_date");

    /// <summary>When the query began. (<c>current_timestamp</c>)</summary>
    public static Column CurrentTimestamp() => Call("current_timestamp");

    /// <summary>Random numbers from 0 to 1. (<c>rand</c>)</summary>
    /// <param name="seed">Begins them.</param>
    public static Column Random(long seed = 0) => Call("rand", Lit(seed));

    /// <summary>The number of a row in its window, from 1. (<c>row_number</c>)</summary>
    public static Column RowNumber() => Call("row_number");

    /// <summary>The rank of a row in its window, with gaps behind equal ones. (<c>rank</c>)</summary>
    public static Column Rank() => Call("rank");

    /// <summary>The rank of a row in its window, without gaps. (<c>dense_rank</c>)</summary>
    public static Column DenseRank() => Call("dense_rank");

    /// <summary>The rank of a row from 0 to 1. (<c>percent_rank</c>)</summary>
    public static Column PercentRank() => Call("percent_rank");

    /// <summary>Which part of the rows of a window is not behind a row. (<c>cume_dist</c>)</summary>
    public static Column CumulativeDistribution() => Call("cume_dist");

    /// <summary>Which of some equal parts of its window a row is in, from 1. (<c>ntile</c>)</summary>
    /// <param name="parts">How many parts.</param>
    public static Column NTile(int parts) => Call("ntile", Lit(parts));

    /// <summary>The value of a row before this one. (<c>lag</c>)</summary>
    /// <param name="column">The column.</param>
    /// <param name="offset">How many rows before.</param>
    /// <param name="otherwise">What it is where there is no such row.</param>
    public static Column Lag(Column column, int offset = 1, object? otherwise = null) => Shifted("lag", column, offset, otherwise);

    /// <summary>The value of a row behind this one. (<c>lead</c>)</summary>
    /// <param name="column">The column.</param>
    /// <param name="offset">How many rows behind.</param>
    /// <param name="otherwise">What it is where there is no such row.</param>
    public static Column Lead(Column column, int offset = 1, object? otherwise = null) => Shifted("lead", column, offset, otherwise);

    private static Column Shifted(string name, Column column, int offset, object? otherwise) =>
        otherwise is null ? Call(name, column, Lit(offset)) : Call(name, column, Lit(offset), Lit(otherwise));
}
