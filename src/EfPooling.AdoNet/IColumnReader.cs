namespace EfPooling.AdoNet;

/// <summary>A reader, as those see it who read a column of it through an object of their own.</summary>
internal interface IColumnReader
{
    /// <inheritdoc cref="ColumnUse.Enter"/>
    void EnterColumn(ColumnUse column);

    /// <inheritdoc cref="ColumnUse.TryEnter"/>
    bool TryEnterColumn(ColumnUse column);

    /// <summary>Ends what <see cref="EnterColumn"/> began.</summary>
    void LeaveColumn();

    /// <summary>Reading a column threw this.</summary>
    void ObserveColumn(Exception error);

    /// <summary>The latest stream or text reader is over, because what follows moves away from its column. Npgsql notices that only of some.</summary>
    void EndColumn();

    /// <summary>What may leave the reader in place of a value of Npgsql: itself, unless it is a stream or text reader of a column.</summary>
    T HandOut<T>(T value);

    /// <inheritdoc cref="HandOut"/>
    Task<T> HandOutAsync<T>(Task<T> value);
}
