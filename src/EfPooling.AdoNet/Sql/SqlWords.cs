namespace EfPooling.AdoNet.Sql;

/// <summary>Words of PostgreSQL's grammar; see appendix "SQL Key Words" of its manual.</summary>
internal static class SqlWords
{
    /// <summary>
    /// Cannot be the name of a function unless quoted or after a schema: reserved words, and words for types and special syntax
    /// only.
    /// </summary>
    public static readonly WordTable NeverFunctions = new(
        """
        all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog current_date
        current_role current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign
        from grant group having in initially intersect into lateral leading limit localtime localtimestamp not null offset on only or order
        placing primary references returning select session_user some symmetric system_user table then to trailing true union unique user using
        variadic when where window with
        between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer interval least
        national nchar none normalize nullif numeric out overlay position precision real row setof smallint substring time timestamp treat trim
        values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
        """);

    /// <summary>Calls whose arguments are separated by FROM.</summary>
    public static readonly WordTable CallsWithFrom = new("extract substring trim overlay position");

    /// <summary>End a FROM clause.</summary>
    public static readonly WordTable AfterFrom = new(
        "where group having order window limit offset fetch union intersect except for returning set when values select");

    public static readonly WordTable BeforeTable = new("join only lateral tablesample");

    public static readonly WordTable Writing = new("insert update delete merge");

    public static readonly WordTable Queries = new("select values table with");

    public static readonly WordTable Explainable = new("select values table with insert update delete merge create declare execute refresh");

    /// <summary>Statements without effect on the session, whatever follows.</summary>
    public static readonly WordTable Utilities = new(
        "lock analyze analyse vacuum reindex truncate comment grant revoke refresh cluster checkpoint reassign security import");

    /// <summary>Words that may follow CREATE, ALTER and DROP.</summary>
    public static readonly WordTable Objects = new(
        """
        access aggregate cast collation constraint conversion database default domain event extension foreign function global group index
        language large local materialized operator or owned policy procedural procedure publication recursive role routine rule schema
        sequence server statistics subscription system table tablespace temp temporary text transform trigger trusted type unique unlogged
        user view
        """);

    /// <summary>Objects whose definition runs nothing when it is created.</summary>
    public static readonly WordTable Definitions = new("function procedure aggregate view rule policy trigger operator cast event");
}
