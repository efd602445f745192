namespace EfPooling.AdoNet.Sql;

/// <summary>A statement with parameters, whose types the text need not name.</summary>
internal interface IParameterised
{
    /// <summary>Whether every parameter is certainly of one of the server's own types.</summary>
    bool HasBuiltInParameters { get; }
}
