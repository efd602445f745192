using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// Adds an interceptor to complete options. Only EF Core's validation of the options shows whether an interceptor of commands is
/// required, and having it always costs too much. The only file that uses a field of EF Core's. ForeignCommandTests fail when EF
/// Core changes it; until then pooling refuses options that require the interceptor.
/// </summary>
internal static class CoreOptionsInternals
{
    /// <returns>Whether the options have the interceptor now.</returns>
    public static bool TryAddInterceptor(CoreOptionsExtension core, IInterceptor interceptor)
    {
        if (!Contains(core, interceptor))
        {
            try
            {
                Interceptors(core) = [.. core.Interceptors ?? [], interceptor]; // Replaces the object, because another flow may be enumerating the old one. If two flows do this, both results are right.
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
