using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>Fills data sets from, and updates them through, <see cref="LogicalCommand"/>s.</summary>
public sealed class LogicalDataAdapter : DbDataAdapter
{
    /// <summary>Raised before a row is written: handlers may exchange the command, or skip the row.</summary>
    public event EventHandler<RowUpdatingEventArgs>? RowUpdating;

    /// <summary>Raised after a row was written.</summary>
    public event EventHandler<RowUpdatedEventArgs>? RowUpdated;

    /// <inheritdoc/>
    protected override void OnRowUpdating(RowUpdatingEventArgs value) => RowUpdating?.Invoke(this, value);

    /// <inheritdoc/>
    protected override void OnRowUpdated(RowUpdatedEventArgs value) => RowUpdated?.Invoke(this, value);
}
