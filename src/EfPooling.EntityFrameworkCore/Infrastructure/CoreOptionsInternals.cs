using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// Adds an interceptor to options that are complete: whether one for commands is needed shows when EF Core validates them, and it costs too much to have it always. The only file that
/// uses a field of EF Core's. ForeignCommandTests fail when EF Core changes it; until then pooling refuses what needs the interceptor.
/// </summary>
internal static class CoreOptionsInternals
{
    /// <returns>Whether the interceptor is there now.</returns>
    public static bool TryAddInterceptor(CoreOptionsExtension core, IInterceptor interceptor)
    {
        if (!Contains(core, interceptor))
        {
            try
            {
                Interceptors(core) = [.. core.Interceptors ?? [], interceptor]; // Another object in its place: somebody may be enumerating the old one. Of two that do this, both are right.
            }
            catch (MissingFieldException)
            {
                return false;
            }
        }

        return Contains(core, interceptor);
    }

    private static bool Contains(CoreOptionsExtension core, IInterceptor interceptor) => core.Interceptors?.Contains(interceptor) == true;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_interceptors")]
    private static extern ref IEnumerable<IInterceptor>? Interceptors(CoreOptionsExtension core);
}
