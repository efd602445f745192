namespace EfPooling.AdoNet.Sql;

/// <summary>Where in a query a name stands, which says what it may be.</summary>
internal enum QueryPlace
{
    Expression,

    /// <summary>Among arguments with FROM between them.</summary>
    ExpressionWithFrom,

    /// <summary>Where a relation comes.</summary>
    Table,

    /// <summary>Behind a relation, where its alias may come.</summary>
    AfterTable,
    JoinCondition,

    /// <summary>Where the name of a common table expression comes.</summary>
    CommonTable,
    CommonTableBody,
    AfterCommonTable,
}
