using EfPooling.AdoNet.Sql;

namespace EfPooling.Analyzers.Sql;

/// <summary>Reads <c>CREATE TEMP TABLE</c>.</summary>
internal static class TemporaryTable
{
    /// <summary>The token behind <c>CREATE TEMP TABLE</c>, if the statement is that and says <c>ON COMMIT DROP</c>.</summary>
    public static int? DropsAtCommit(SqlTokens tokens, SqlScriptStatement statement)
    {
        var kind = statement.First + 1;
        while (tokens.Is(kind, "LOCAL") || tokens.Is(kind, "GLOBAL"))
        {
            kind++;
        }

        if (!(tokens.Is(kind, "TEMP") || tokens.Is(kind, "TEMPORARY")) || !tokens.Is(kind + 1, "TABLE"))
        {
            return null;
        }

        for (var i = kind + 2; i < statement.End; i = tokens.Is(i, '(') ? tokens.Close(i) + 1 : i + 1)
        {
            if (tokens.Is(i, "ON", "COMMIT") && tokens.Is(i + 2, "DROP"))
            {
                return kind + 2;
            }
        }

        return null;
    }
}
