using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Interceptors;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The part of a context's options that <c>UseTransactionPooling</c> adds. Immutable.</summary>
internal sealed class TransactionPoolingOptionsExtension(Action<TransactionPoolingOptions>? configure) : IDbContextOptionsExtension
{
    /// <summary>The error for declared settings that only our commands can apply.</summary>
    public const string ForeignCommands =
        "UseTransactionPooling with session settings needs commands of its own, which see to it that no statement runs without them, so IRelationalCommandBuilderFactory must not be replaced. Use an interceptor of commands instead.";

    private readonly Lazy<TransactionPoolingOptions> _alone = new(() =>
    {
        var options = new TransactionPoolingOptions();
        configure?.Invoke(options);
        return options;
    });

    private DbContextOptionsExtensionInfo? _info;

    public Action<TransactionPoolingOptions>? Configure => configure;

    /// <summary>
    /// The session settings for the contexts with these options, and no others: the callbacks' captured variables may belong to
    /// one scope.
    /// </summary>
    public DeclaredSettings DeclaredSettings => _alone.Value.DeclaredSettings;

    /// <summary>Whether the options differ from the defaults in anything but session settings.</summary>
    public bool ConfiguresPool => !(_alone.Value with { DeclaredSettings = DeclaredSettings.None }).Equals(new TransactionPoolingOptions());

    public DbContextOptionsExtensionInfo Info => _info ??= new ExtensionInfo(this);

    /// <summary>Does not apply under <c>UseInternalServiceProvider</c>; there the application calls <c>AddEntityFrameworkTransactionPooling</c> itself.</summary>
    public void ApplyServices(IServiceCollection services) => services.AddEntityFrameworkTransactionPooling();

    public void Validate(IDbContextOptions options)
    {
        if (!ProviderOptions.UsesNpgsql(options))
        {
            throw new InvalidOperationException(
                "UseTransactionPooling needs the Npgsql provider: call UseNpgsql on the same options, before or after it.");
        }

        var core = options.FindExtension<CoreOptionsExtension>();
        if (core?.ReplacedServices?.Keys.Any(replaced => replaced.Item1 == typeof(IRelationalCommandBuilderFactory)) == true && !DeclaredSettings.IsEmpty)
        {
            throw new InvalidOperationException(ForeignCommands);
        }

        if (core?.InternalServiceProvider is { } internals && !PoolingServices.AreIn(internals))
        {
            if (!DeclaredSettings.IsEmpty || !CoreOptionsInternals.TryAddInterceptor(core, ForeignCommandInterceptor.Instance))
            {
                throw new InvalidOperationException(
                    $"UseTransactionPooling{(DeclaredSettings.IsEmpty ? "" : " with session settings")} needs services of its own in the service provider that UseInternalServiceProvider was given: call AddEntityFrameworkTransactionPooling() on its collection, after AddEntityFrameworkNpgsql().");
            }
        }
    }

    private sealed class ExtensionInfo(TransactionPoolingOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
    {
        public override bool IsDatabaseProvider => false;

        public override string LogFragment => "using TransactionPooling ";

        // No service depends on the pool or its options, so all contexts share EF's internal service provider.
        public override int GetServiceProviderHashCode() => 0;

        public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

        public override void PopulateDebugInfo(IDictionary<string, string> debugInfo) => debugInfo["EfPooling:TransactionPooling"] = "1";
    }
}
