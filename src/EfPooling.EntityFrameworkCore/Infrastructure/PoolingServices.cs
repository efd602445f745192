namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// Says that EF Core's internal services include those of the pool. An object without dependencies, because options are validated before EF Core
/// has initialised its singletons: what is resolved then stays as it was made, a type mapping source without the user's enums for example.
/// </summary>
internal sealed class PoolingServices
{
    public static readonly PoolingServices Instance = new();

    private PoolingServices()
    {
    }

    public static bool AreIn(IServiceProvider internals) => internals.GetService(typeof(PoolingServices)) is not null;
}
