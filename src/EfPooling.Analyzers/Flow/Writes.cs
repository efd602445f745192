using EfPooling.AdoNet.Sql;
using EfPooling.Analyzers.Sql;
using EfPooling.Analyzers.Symbols;

namespace EfPooling.Analyzers.Flow;

/// <summary>Tells which operations surely change data.</summary>
internal static class Writes
{
    /// <summary>SaveChanges, ExecuteUpdate and ExecuteDelete, and SQL that the call shows to begin with INSERT, UPDATE, DELETE or MERGE.</summary>
    public static bool IsWrite(DbOperation operation)
    {
        var method = operation.Invocation.TargetMethod;
        if (method.Name is "SaveChanges" or "SaveChangesAsync" or "ExecuteUpdate" or "ExecuteUpdateAsync" or "ExecuteDelete" or "ExecuteDeleteAsync")
        {
            return true;
        }

        var text = operation.Invocation.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "sql")?.Value;
        return operation.Kind == DbOperationKind.Command && text is not null
            && SqlSourceReader.Read(text, method.Name is "ExecuteSql" or "ExecuteSqlAsync" or "ExecuteSqlInterpolated" or "ExecuteSqlInterpolatedAsync") is { } source
            && new SqlScript(source.Text).Statements.Any(statement
                => statement.Kind is StatementKind.Insert or StatementKind.Update or StatementKind.Delete or StatementKind.Merge);
    }
}
