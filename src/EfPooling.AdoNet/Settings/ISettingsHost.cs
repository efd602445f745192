namespace EfPooling.AdoNet;

/// <summary>A logical connection, as its settings see it: the argument with which declared values are requested.</summary>
internal interface ISettingsHost
{
    /// <summary>Identifies the current use if its owner is pooled and has one user after another; otherwise constant.</summary>
    int Use { get; }
}
