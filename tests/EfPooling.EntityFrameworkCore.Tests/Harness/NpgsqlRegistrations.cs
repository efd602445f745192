using System.Data.Common;
using System.Reflection;
using System.Reflection.Emit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

/// <summary>What <c>AddNpgsqlDataSource</c> registers, by factories of an assembly of that name: the package itself needs a later Npgsql than the oldest one, which is tested here.</summary>
internal static class NpgsqlRegistrations
{
    private static readonly ModuleBuilder Module
        = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Npgsql.DependencyInjection"), AssemblyBuilderAccess.Run).DefineDynamicModule("Registrations");

    public static IServiceCollection AddNpgsqlDataSource(this IServiceCollection services, string connectionString)
    {
        services.TryAddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        services.TryAddTransient(provider => provider.GetRequiredService<NpgsqlDataSource>().CreateConnection());
        services.TryAdd(ServiceDescriptor.Singleton(typeof(DbDataSource), FactoryOf(typeof(NpgsqlDataSource))));
        services.TryAdd(ServiceDescriptor.Transient(typeof(DbConnection), FactoryOf(typeof(NpgsqlConnection))));
        return services;
    }

    private static Func<IServiceProvider, object> FactoryOf(Type service)
    {
        var type = Module.DefineType($"FactoryOf{service.Name}{Guid.NewGuid():N}", TypeAttributes.Public);
        var code = type.DefineMethod("Get", MethodAttributes.Public | MethodAttributes.Static, typeof(object), [typeof(IServiceProvider)]).GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldtoken, service);
        code.Emit(OpCodes.Call, typeof(Type).GetMethod(nameof(Type.GetTypeFromHandle))!);
        code.Emit(OpCodes.Callvirt, typeof(IServiceProvider).GetMethod(nameof(IServiceProvider.GetService))!);
        code.Emit(OpCodes.Ret);
        return type.CreateType().GetMethod("Get")!.CreateDelegate<Func<IServiceProvider, object>>();
    }
}
