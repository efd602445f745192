namespace EfPooling.Core;

/// <summary>Options of a pool are outside their range or contradict each other. Thrown when the pool is created, never later.</summary>
public sealed class InvalidPoolOptionsException : ArgumentException
{
    /// <summary>Creates the exception from one sentence per problem.</summary>
    /// <param name="errors">What is wrong and what is allowed, a sentence each.</param>
    public InvalidPoolOptionsException(IReadOnlyCollection<string> errors)
        : base("The options of the connection pool are not valid: " + string.Join(" ", errors))
        => Errors = errors;

    /// <summary>One sentence per problem: the name of the option, its value and the allowed range.</summary>
    public IReadOnlyCollection<string> Errors { get; }
}
