using System.Globalization;
using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.Extensions.Configuration;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Options from configuration: each key is the name of an option.</summary>
internal static class OptionsSection
{
    private const int NamedKeys = 5; // An unrelated section may have any number of them.

    private static readonly Dictionary<string, Type> Types = typeof(TransactionPoolingOptions).GetProperties()
        .Where(property => property.CanWrite)
        .ToDictionary(property => property.Name, property => property.PropertyType, StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidPoolOptionsException">A key is not the name of an option, or a value is not of the option's type.</exception>
    public static void Bind(IConfiguration section, TransactionPoolingOptions options)
    {
        var entries = section.GetChildren().ToList();
        var errors = entries.Where(IsAmbiguousTime)
            .Select(entry => $"{entry.Path} is {entry.Value}, which would be that many days; write a time as hh:mm:ss.")
            .ToList();
        var unknown = entries.Where(entry => !Types.ContainsKey(entry.Key)).Select(entry => entry.Path).ToList();
        if (unknown.Count > 0)
        {
            var more = unknown.Count > NamedKeys ? $" and {unknown.Count - NamedKeys} more" : "";
            errors.Add($"Not an option: configuration key {string.Join(", ", unknown.Take(NamedKeys))}{more}; the options are {string.Join(", ", Types.Keys.Order())}.");
        }

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

    // A number alone means days to TimeSpan and seconds to its author.
    private static bool IsAmbiguousTime(IConfigurationSection entry)
        => Types.TryGetValue(entry.Key, out var type) && type == typeof(TimeSpan)
            && int.TryParse(entry.Value, CultureInfo.InvariantCulture, out var number) && number != 0;
}
