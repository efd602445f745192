namespace EfPooling.AdoNet;

/// <summary>A reader, as seen by the objects that read one of its columns.</summary>
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

    /// <summary>
    /// Ends the latest stream or text reader, because the next call moves away from its column. Npgsql detects that only for
    /// some.
    /// </summary>
    void EndColumn();

    /// <summary>
    /// The object to hand out for a value of Npgsql's: the value itself, unless it is a stream or text reader of a column.
    /// </summary>
    T HandOut<T>(T value);

    /// <inheritdoc cref="HandOut"/>
    Task<T> HandOutAsync<T>(Task<T> value);
}
