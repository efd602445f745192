namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Where operators end: before a comment, and before signs at the end unless a character in the operator allows a sign there. A
/// run of operator characters is scanned once, however many operators it contains. One thread only.
/// </summary>
internal sealed class OperatorRun(string sql)
{
    private int _end; // of the run scanned last
    private int _signs; // where the signs at its end begin
    private int _lastAllowing; // the last character in it that allows a sign at the end; -1

    /// <param name="start">An operator character that starts no comment; never before the one of an earlier call.</param>
    public int EndOf(int start)
    {
        if (start >= _end)
        {
            LookAt(start);
        }

        return _signs == _end || _lastAllowing >= start ? _end : Math.Max(_signs, start + 1);
    }

    private void LookAt(int start)
    {
        _lastAllowing = -1;
        for (_end = start; _end < sql.Length && SqlCharacters.IsOperator(sql[_end]) && (_end == start || !SqlCharacters.StartsComment(sql, _end)); _end++)
        {
            _lastAllowing = SqlCharacters.AllowsSignAtEnd(sql[_end]) ? _end : _lastAllowing;
        }

        for (_signs = _end; _signs > start && sql[_signs - 1] is '+' or '-'; _signs--)
        {
        }
    }
}
