namespace EfPooling.Architecture.Tests;

/// <summary>One file uses a type that another one declares.</summary>
/// <param name="File">Who uses.</param>
/// <param name="Target">Where the type, or its member that is used, is declared.</param>
/// <param name="Type">What is used.</param>
internal readonly record struct FileUse(string File, string Target, string Type);
