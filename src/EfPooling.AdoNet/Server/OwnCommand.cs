using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The pool's own commands on its server connections: checks, resets, settings, the catalog. They run in the flows of callers,
/// but do not belong to their traces, so Npgsql creates no spans for them.
/// </summary>
internal static class OwnCommand
{
    public static NpgsqlCommand Create(string text, NpgsqlConnection connection) => new(text, connection) { Site = Mark.Instance };

    /// <summary>
    /// Excludes them from the traces of a data source that this pool builds. A user's callback that configures tracing replaces
    /// this.
    /// </summary>
    public static void LeaveOut(NpgsqlDataSourceBuilder builder)
        => builder.ConfigureTracing(tracing => tracing.ConfigureCommandFilter(command => command.Site is not Mark));

    // Nothing else uses the site of a command.
    private sealed class Mark : ISite
    {
        public static readonly Mark Instance = new();

        public IComponent Component => throw new NotSupportedException("A mark, for no designer.");

        public IContainer? Container => null;

        public bool DesignMode => false;

        public string? Name
        {
            get => null;
            [RequiresUnreferencedCode("The interface says so. A mark has no name.")]
            set => throw new NotSupportedException("A mark, for no designer.");
        }

        public object? GetService(Type serviceType) => null;
    }
}
