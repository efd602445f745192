using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Sql;

/// <summary>A place where SQL text is handed over for execution.</summary>
/// <param name="operation">The call, the constructor or the assignment.</param>
/// <param name="value">The text.</param>
/// <param name="owner">What it will run on: a connection, a command, a facade, a query. Null: the code does not show it.</param>
/// <param name="isParameterised">Whether values in an interpolated string become parameters.</param>
internal readonly struct SqlSink(IOperation operation, IOperation value, IOperation? owner, bool isParameterised)
{
    public IOperation Operation { get; } = operation;

    public IOperation Value { get; } = value;

    public IOperation? Owner { get; } = owner;

    public bool IsParameterised { get; } = isParameterised;
}
