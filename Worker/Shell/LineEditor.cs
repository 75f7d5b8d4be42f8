namespace Dataflow.Worker.Shell;

/// <summary>Reads a line from a terminal, with keys to move in it, and with the lines of before (up and down).</summary>
/// <param name="lines">The lines of before, oldest first.</param>
internal sealed class LineEditor(List<string> lines)
{
    private string _text = "";
    private int _cursor;

    /// <summary>The lines of before, with those that were remembered.</summary>
    public IReadOnlyList<string> Lines => lines;

    /// <summary>Adds a statement to those of before.</summary>
    public void Remember(string statement)
    {
        var line = statement.ReplaceLineEndings(" ").Trim();
        if (line.Length > 0 && (lines.Count == 0 || lines[^1] != line)) lines.Add(line);
    }

    /// <summary>Reads a line.</summary>
    /// <param name="prompt">What stands before it.</param>
    /// <param name="wasCancelled">Whether Ctrl+C dropped the line.</param>
    /// <returns>Null if there is none: the input ended (Ctrl+D), or the line was dropped.</returns>
    public string? Read(string prompt, out bool wasCancelled)
    {
        wasCancelled = false;
        (_text, _cursor) = ("", 0);
        var shown = lines.Count;
        var typed = "";
        Console.TreatControlCAsInput = true;
        try
        {
            Draw(prompt);
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
                switch (key.Key)
                {
                    case ConsoleKey.Enter:
                        Console.WriteLine();
                        return _text;
                    case ConsoleKey.C when isControl:
                        Console.WriteLine("^C");
                        wasCancelled = true;
                        return null;
                    case ConsoleKey.D when isControl && _text.Length == 0:
                        Console.WriteLine();
                        return null;
                    case ConsoleKey.UpArrow when shown > 0:
                        if (shown == lines.Count) typed = _text;
                        Set(lines[--shown]);
                        break;
                    case ConsoleKey.DownArrow when shown < lines.Count:
                        shown++;
                        Set(shown == lines.Count ? typed : lines[shown]);
                        break;
                    default:
                        Edit(key, isControl);
                        break;
                }
                Draw(prompt);
            }
        }
        finally
        {
            // While a query runs, Ctrl+C is a signal that cancels it.
            Console.TreatControlCAsInput = false;
        }
    }

    private void Set(string text) => (_text, _cursor) = (text, text.Length);

    private void Edit(ConsoleKeyInfo key, bool isControl)
    {
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow:
                _cursor = Math.Max(0, _cursor - 1);
                break;
            case ConsoleKey.RightArrow:
                _cursor = Math.Min(_text.Length, _cursor + 1);
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when isControl:
                _cursor = 0;
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when isControl:
                _cursor = _text.Length;
                break;
            case ConsoleKey.U when isControl:
                (_text, _cursor) = (_text[_cursor..], 0);
                break;
            case ConsoleKey.K when isControl:
                _text = _text[.._cursor];
                break;
            case ConsoleKey.Backspace when _cursor > 0:
                _text = _text.Remove(--_cursor, 1);
                break;
            case ConsoleKey.Delete when _cursor < _text.Length:
                _text = _text.Remove(_cursor, 1);
                break;
            default:
                if (char.IsControl(key.KeyChar) && key.KeyChar != '\t') break;
                _text = _text.Insert(_cursor++, key.KeyChar == '\t' ? " " : key.KeyChar.ToString());
                break;
        }
    }

    // One line of the terminal: of a longer text, the part around the cursor.
    private void Draw(string prompt)
    {
        var room = Math.Max(10, Console.WindowWidth - prompt.Length - 1);
        var start = Math.Max(0, _cursor - room + 1);
        var part = _text.Substring(start, Math.Min(room, _text.Length - start));
        Console.Write($"\r\u001b[K{prompt}{part}\r\u001b[{prompt.Length + _cursor - start}C");
    }
}
