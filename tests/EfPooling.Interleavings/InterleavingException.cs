namespace EfPooling.Interleavings;

/// <summary>An interleaving under which a scenario fails: its steps, and the choices that repeat it.</summary>
public sealed class InterleavingException(string message, string choices, Exception? inner) : Exception(message, inner)
{
    /// <summary>For <see cref="Explorer.Repeat"/>.</summary>
    public string Choices => choices;
}
