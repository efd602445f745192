namespace EfPooling.AdoNet.Sql;

/// <summary>The place of a name in a query, which limits what the name may be.</summary>
internal enum QueryPlace
{
    Expression,

    /// <summary>Among arguments that are separated by FROM.</summary>
    ExpressionWithFrom,

    /// <summary>Where a relation is expected.</summary>
    Table,

    /// <summary>After a relation, where its alias may follow.</summary>
    AfterTable,
    JoinCondition,

    /// <summary>Where the name of a common table expression is expected.</summary>
    CommonTable,
    CommonTableBody,
    AfterCommonTable,
}
