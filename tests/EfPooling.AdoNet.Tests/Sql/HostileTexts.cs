namespace EfPooling.AdoNet.Tests;

/// <summary>Texts of one shape repeated until they have so many characters, made to cost a reader more than they should.</summary>
internal static class HostileTexts
{
    public static readonly IReadOnlyDictionary<string, Func<int, string>> Shapes = new Dictionary<string, Func<int, string>>
    {
        ["signs"] = size => "SELECT " + new string('+', size - 8) + "1",
        ["signs apart"] = size => Repeated("SELECT ", "+ ", "1", size),
        ["minus apart"] = size => Repeated("SELECT ", "- ", "1", size),
        ["equals and signs"] = size => Repeated("SELECT 1 ", "=+", " 1", size),
        ["question marks and signs"] = size => Repeated("SELECT 1 ", "?+", " 1", size),
        ["operators"] = size => Repeated("SELECT 1 ", "=?", " 1", size),
        ["operators and comments"] = size => Repeated("SELECT 1 ", "=+/**/", " 1", size),
        ["dotted setting"] = size => Repeated("SET a", ".a", " = 1", size),
        ["dotted name"] = size => Repeated("SELECT a", ".a", "", size),
        ["settings"] = size => Numbered("SELECT 1", i => $",set_config('app.x{i}','',false)", "", size),
        ["nested settings"] = size => Nested("SELECT ", "set_config(a,", "1", ")", size),
        ["nested search paths"] = size => Nested("SELECT ", "set_config('search_path',", "1", ")", size),
        ["tables"] = size => Numbered("", i => $"SELECT * FROM t{i};", "", size),
        ["names"] = size => Numbered("SELECT a", i => $",a{i}", "", size),
        ["calls"] = size => Numbered("SELECT 1", i => $",f{i}()", "", size),
        ["inserts"] = size => Repeated("", "INSERT INTO t VALUES (1);", "", size),
        ["statements"] = size => Repeated("", "a;", "", size),
        ["parentheses"] = size => Nested("SELECT ", "(", "1", ")", size),
        ["open parentheses"] = size => Repeated("SELECT ", "(", "", size),
        ["brackets"] = size => Nested("SELECT a", "[", "", "]", size),
        ["nested comments"] = size => Nested("SELECT ", "/*", "", "*/", size),
        ["open comments"] = size => Repeated("SELECT ", "/* ", "", size),
        ["line comments"] = size => Repeated("SELECT 1", "--\n", "", size),
        ["one constant"] = size => Repeated("SELECT '", "x", "'", size),
        ["one escaped constant"] = size => Repeated("SELECT E'", "\\'", "'", size),
        ["constants"] = size => Repeated("SELECT ''", ",'a'", "", size),
        ["quotes"] = size => Repeated("SELECT '", "''", "'", size),
        ["one constant on many lines"] = size => Repeated("SELECT ''", "\n'a'", "", size),
        ["one search path"] = size => Repeated("SELECT set_config('search_path', '", "a,", "', true)", size),
        ["blanks"] = size => Repeated("SELECT 1", " ", "", size),
        ["one word"] = size => Repeated("SELECT ", "a", "", size),
        ["one capital word"] = size => Repeated("SELECT ", "A", "", size),
        ["one quoted name"] = size => Repeated("SELECT \"", "\"\"", "\"", size),
        ["one encoded name"] = size => Repeated("SELECT U&\"", "\\0061", "\"", size),
        ["encoded names"] = size => Repeated("SELECT 1", ",U&\"\\0061\"", "", size),
        ["escapes"] = size => Repeated("SELECT 1", ",U&\"!0061\" UESCAPE '!'", "", size),
        ["dollars"] = size => Repeated("SELECT ", "$", "", size),
        ["dollar tags"] = size => Numbered("SELECT ", i => $"$a{i}", "", size),
        ["dollar constants"] = size => Numbered("SELECT 1", i => $",$a{i}$ $a{i}$", "", size),
        ["parameters"] = size => Repeated("SELECT 1", ",@a                  ", "", size),
        ["rows of parameters"] = size => Numbered("INSERT INTO t VALUES (1)", i => $",(@p{i})", "", size),
        ["cases"] = size => Nested("SELECT ", "CASE WHEN true THEN ", "1", " END", size),
        ["common tables"] = size => Numbered("WITH c AS (SELECT 1)", i => $",c{i} AS (SELECT 1)", " SELECT 1", size),
        ["options of explain"] = size => Repeated("EXPLAIN (VERBOSE", ",ANALYZE", ") SELECT 1", size),
        ["labels"] = size => Repeated("SELECT 1", ", 1 AS from", "", size),
        ["commands in a block"] = size => Numbered("DO $$BEGIN ", i => $"PERFORM f{i}() FROM t{i};", " END$$", size),
        ["assignments in a block"] = size => Numbered("DO $$BEGIN ", i => $"a := (SELECT 1 FROM t{i});", " END$$", size),
        ["conditions in a block"] = size => Repeated("DO $$BEGIN ", "IF ", " END$$", size),
        ["branches in a block"] = size => Repeated("DO $$BEGIN ", "IF a THEN ", " END$$", size),
        ["blocks"] = size => Repeated("", "DO $$a$$;", "", size),
        ["large blocks"] = size => Repeated("", "DO $$" + new string(';', 10_000) + "$$;", "", size),
        ["blocks in blocks"] = BlocksInBlocks,
    };

    private static string Repeated(string start, string part, string end, int size)
        => start + string.Concat(Enumerable.Repeat(part, (size - start.Length - end.Length) / part.Length)) + end;

    private static string Nested(string start, string open, string inside, string close, int size)
    {
        var depth = (size - start.Length - inside.Length) / (open.Length + close.Length);
        return start + string.Concat(Enumerable.Repeat(open, depth)) + inside + string.Concat(Enumerable.Repeat(close, depth));
    }

    private static string Numbered(string start, Func<int, string> part, string end, int size)
    {
        var text = new System.Text.StringBuilder(start, size);
        for (var i = 0; text.Length + part(i).Length + end.Length <= size; i++)
        {
            text.Append(part(i));
        }

        return text.Append(end).ToString();
    }

    private static string BlocksInBlocks(int size)
    {
        var (opened, closed) = (new System.Text.StringBuilder(), new Stack<string>());
        var length = "SELECT 1".Length;
        for (var i = 0; length < size - 60; i++)
        {
            var (open, close) = ($"DO $d{i}$BEGIN EXECUTE $e{i}$", $"$e{i}$;END$d{i}$");
            opened.Append(open);
            closed.Push(close);
            length += open.Length + close.Length;
        }

        return opened + "SELECT 1" + string.Concat(closed);
    }
}
