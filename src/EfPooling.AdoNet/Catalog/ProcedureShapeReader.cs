namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Reads what the body of a PL/pgSQL function refers to. Each keyword in it, at any place, must be one that occurs only in
/// queries, changes of data and statements of PL/pgSQL itself. Without PL/pgSQL's whole grammar, it is unknown which words begin
/// a statement there.
/// </summary>
/// <param name="keywords">The server's, in lower case.</param>
internal sealed class ProcedureShapeReader(IReadOnlySet<string> keywords)
{
    // No utility statement and no dynamic SQL begins with one of these. SET and DO are decided by their neighbours.
    private static readonly WordTable Allowed = new(
        """
        absolute action add admin after all also always and any array as asc asensitive assignment asymmetric at atomic attribute authorization backward
        before begin between bigint bit boolean both breadth by cache cascade cascaded case cast catalog chain char character characteristics check class
        close coalesce collate collation column columns comments committed compression concurrently conditional configuration conflict connection constraint
        constraints content continue conversion cost cross csv cube current current_catalog current_date current_role current_schema current_time
        current_timestamp current_user cursor cycle data database day dec decimal declare default defaults deferrable deferred definer delete delimiter
        delimiters depends depth desc dictionary distinct document domain double each else empty encoding end enforced enum error escape event except exclude
        excluding exclusive exists expression extension external extract false family fetch filter finalize first float following for force foreign format
        forward from full function functions generated global greatest group grouping groups handler having header hour identity if ilike immediate immutable
        implicit in include including increment indent index indexes inherit inherits initially inner inout input insensitive insert instead int integer
        intersect interval into invoker is isnull isolation join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
        json_serialize json_table json_value keep key keys label language large last lateral leading leakproof least left level like limit local localtime
        localtimestamp location locked logged mapping match matched materialized maxvalue merge merge_action method minute minvalue mode month move name names
        national natural nchar nested new next nfc nfd nfkc nfkd no none normalize normalized not nothing notify notnull nowait null nullif nulls numeric
        object objects of off offset oids old omit on only operator option options or order ordinality others out outer over overlaps overlay overriding owned
        owner parallel parameter parser partial partition passing password path period placing plan plans policy position preceding precision preserve primary
        prior privileges procedural procedure procedures program publication quote quotes range read real recursive ref references referencing relative rename
        repeatable replace replica respect restart restrict return returning returns right role rollup routine routines row rows rule scalar schema schemas
        scroll search second select sequence sequences serializable server session session_user setof sets share similar simple skip smallint snapshot some
        source sql stable standalone statement statistics stdin stdout storage stored strict string strip subscription substring support symmetric sysid
        system system_user table tables tablesample tablespace target template text then ties time timestamp to trailing transaction transform treat trigger
        trim true trusted type types unbounded uncommitted unconditional unencrypted union unique unknown until update user using valid validate validator
        value values varchar variadic varying verbose version view views virtual volatile when where whitespace window with within without work wrapper write
        xml xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable year yes zone
        """);

    // PL/pgSQL's own words, which are not keywords to the server.
    private static readonly WordTable Procedural = new(
        "alias array assert backward constant debug diagnostics elseif elsif error exception exit foreach forward get info loop notice open perform query raise reverse return rowtype slice sqlstate strict then while");

    public TextShape Read(string body)
    {
        var tokens = new SqlTokens(body);
        var shape = new ShapeBuilder(tokens);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens.Is(i, SqlTokenKind.Word) && IsKeyword(tokens, i) && !tokens.IsAny(i, Allowed) && !IsHarmless(tokens, i))
            {
                shape.Flags |= ShapeFlags.Opaque;
            }

            if (tokens.Is(i, "INSERT") || tokens.Is(i, "UPDATE") || tokens.Is(i, "DELETE") || tokens.Is(i, "MERGE") || tokens.Is(i, "NOTIFY"))
            {
                shape.Flags |= ShapeFlags.Writes;
            }
        }

        shape.Collect(0, tokens.Count, mayBeLocal: false);
        return shape.Build();
    }

    private bool IsKeyword(SqlTokens tokens, int i) => keywords.Contains(tokens.Name(i));

    private bool IsHarmless(SqlTokens tokens, int i)
        => tokens.Is(i, "DO") ? tokens.Is(i + 1, "NOTHING") || tokens.Is(i + 1, "UPDATE")
            : tokens.Is(i, "SET") ? IsUpdate(tokens, i - 1)
            : tokens.Is(i - 1, '.') && (tokens.IsName(i - 2) || tokens.Is(i - 2, ')') || tokens.Is(i - 2, ']')); // An attribute, as in NEW.comment.

    // UPDATE, or UPDATE [ONLY] name [*] [[AS] alias], before SET. After anything else, SET may begin a statement.
    private bool IsUpdate(SqlTokens tokens, int i)
    {
        if (tokens.Is(i, "UPDATE"))
        {
            return IsStatement(tokens, i);
        }

        for (var names = 0; names < 2 && IsPlainName(tokens, i); names++)
        {
            i--;
            while (tokens.Is(i, '.') && IsPlainName(tokens, i - 1))
            {
                i -= 2;
            }

            i = tokens.Is(i, "AS") || tokens.IsOperator(i, "*") ? i - 1 : i;
            var table = tokens.Is(i, "ONLY") ? i - 1 : i;
            if (tokens.Is(table, "UPDATE"))
            {
                return IsStatement(tokens, table);
            }
        }

        return false;
    }

    // Not FOR UPDATE or FOR NO KEY UPDATE, which a loop may follow.
    private static bool IsStatement(SqlTokens tokens, int update) => !tokens.Is(update - 1, "FOR") && !tokens.Is(update - 1, "KEY");

    private bool IsPlainName(SqlTokens tokens, int i)
        => tokens.Is(i, SqlTokenKind.QuotedWord) || (tokens.Is(i, SqlTokenKind.Word) && !IsKeyword(tokens, i) && !tokens.IsAny(i, Procedural));
}
