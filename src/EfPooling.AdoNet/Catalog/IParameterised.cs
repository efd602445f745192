namespace EfPooling.AdoNet.Sql;

/// <summary>A statement with parameters, which the text need not name the types of.</summary>
internal interface IParameterised
{
    /// <summary>Every parameter is certainly of a type of the server's own.</summary>
    bool HasBuiltInParameters { get; }
}
