namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// Marks that EF Core's internal services include those of the pool. An object without dependencies, because options are
/// validated before EF Core has initialised its singletons. A service resolved then would stay uninitialised, for example a type
/// mapping source without the user's enums.
/// </summary>
internal sealed class PoolingServices
{
    public static readonly PoolingServices Instance = new();

    private PoolingServices()
    {
    }

    public static bool AreIn(IServiceProvider internals) => internals.GetService(typeof(PoolingServices)) is not null;
}
