using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.Extensions.Configuration;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Options from configuration: each key is the name of an option.</summary>
internal static class OptionsSection
{
    private static readonly string[] Names = [.. typeof(TransactionPoolingOptions).GetProperties().Where(property => property.CanWrite).Select(property => property.Name).Order()];

    /// <exception cref="InvalidPoolOptionsException">A key is not the name of an option, or a value is not of the option's type.</exception>
    public static void Bind(IConfiguration section, TransactionPoolingOptions options)
    {
        var errors = section.GetChildren()
            .Where(entry => !Names.Contains(entry.Key, StringComparer.OrdinalIgnoreCase))
            .Select(entry => $"Configuration key {entry.Path} is not an option; the options are {string.Join(", ", Names)}.")
            .ToList();
        if (errors.Count > 0)
        {
            throw new InvalidPoolOptionsException(errors);
        }

        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidPoolOptionsException([e.Message]); // Names the key, the value and the type.
        }
    }
}
