namespace EfPooling.AdoNet;

/// <summary>A logical connection, as its settings see it: the values that are declared are asked for it.</summary>
internal interface ISettingsHost
{
    /// <summary>Which use this is, if its owner is pooled and has one user after another; otherwise always the same.</summary>
    int Use { get; }
}
