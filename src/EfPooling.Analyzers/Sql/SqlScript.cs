using EfPooling.AdoNet.Sql;

namespace EfPooling.Analyzers.Sql;

/// <summary>A SQL text as the run-time classifier reads it, statement by statement. Does not change; one thread only.</summary>
internal sealed class SqlScript
{
    private readonly List<SqlScriptStatement> _statements = [];
    private bool? _isSelfContained;

    public SqlScript(string text)
    {
        Tokens = new SqlTokens(text);
        var token = 0;
        foreach (var statement in ScriptReader.Read(text, new VerdictBuilder()))
        {
            while (token < Tokens.Count && Tokens[token].Start < statement.Start)
            {
                token++;
            }

            var first = token;
            while (token < Tokens.Count && Tokens[token].End <= statement.End)
            {
                token++;
            }

            _statements.Add(new SqlScriptStatement(statement.Kind, statement.Effects, first, token));
        }
    }

    public SqlTokens Tokens { get; }

    /// <summary>None if the text ends in the middle of something: then nothing in it can be trusted.</summary>
    public IReadOnlyList<SqlScriptStatement> Statements => Tokens.IsBroken ? [] : _statements;

    /// <summary>Every statement reads or changes rows, and does nothing to the session.</summary>
    public bool IsOnlyData => Statements.All(statement => statement is
    {
        Effects: SessionEffects.None,
        Kind: StatementKind.Select or StatementKind.Insert or StatementKind.Update or StatementKind.Delete or StatementKind.Merge,
    });

    /// <summary>
    /// The text surely ends again whatever it makes in its session, so that it runs on a pooled connection. What is put into it looks the same everywhere, and need not be.
    /// </summary>
    public bool IsSelfContained => _isSelfContained ??= !HasValues && SelfContainedText.Is(SqlVerdict.Read(Tokens.Text));

    private bool HasValues => Tokens.Text.IndexOf(SqlSource.Hole) >= 0 || Tokens.Text.IndexOf(SqlSource.Parameter, StringComparison.Ordinal) >= 0;

    /// <summary>Whether anything may stand there, because a value is pasted in.</summary>
    public bool IsHole(int token) => Tokens.Is(token, SqlSource.Hole);

    /// <summary>One line for messages: shortened, with … for what is pasted in.</summary>
    public string Summary(int first, int end)
    {
        var start = Tokens[first].Start;
        return SqlText.Shorten(Tokens.Text.Substring(start, Tokens[end - 1].End - start)).Replace(SqlSource.Hole, '…');
    }
}
