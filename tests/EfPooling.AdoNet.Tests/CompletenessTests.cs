using System.Data.Common;
using System.Reflection;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Decorators are complete: every virtual member of the ADO.NET base class is overridden, or listed here with the reason why not.
/// </summary>
public sealed class CompletenessTests
{
    private static readonly Dictionary<string, string> Inherited = new()
    {
        ["DbDataSource.CreateDbCommand"] = "ADO.NET's own wrapper opens a connection of ours around the command",
        ["DbDataSource.CreateDbBatch"] = "ADO.NET's own wrapper opens a connection of ours around the batch",
        ["DbConnection.add_StateChange"] = "the event is ours to raise, not the server connection's",
        ["DbConnection.remove_StateChange"] = "the event is ours to raise, not the server connection's",
        ["DbConnection.OnStateChange"] = "the event is ours to raise, not the server connection's",
        ["DbProviderFactory.get_CanCreateDataSourceEnumerator"] = "false: nobody enumerates PostgreSQL servers",
        ["DbProviderFactory.CreateDataSourceEnumerator"] = "null: nobody enumerates PostgreSQL servers",
        ["Component.Finalize"] = "nothing to finalize",
        ["Component.ToString"] = "the name of the type, and never a password",
        ["Component.get_CanRaiseEvents"] = "for designers",
        ["Component.GetService"] = "for designers",
        ["Component.get_Site"] = "for designers",
        ["Component.set_Site"] = "for designers",
        ["MarshalByRefObject.InitializeLifetimeService"] = "remoting, which .NET does not have",
    };

    public static TheoryData<Type> Decorators =>
    [
        typeof(TransactionPoolingDataSource),
        typeof(LogicalConnection),
        typeof(LogicalCommand),
        typeof(LogicalBatch),
        typeof(LogicalTransaction),
        typeof(LogicalDataReader),
        typeof(NestedDataReader),
        typeof(ColumnText),
        typeof(TransactionPoolingFactory),
    ];

    [Theory]
    [MemberData(nameof(Decorators))]
    public void Decorator_OverridesEveryVirtual(Type decorator) => Assert.Empty(Unforwarded(decorator).Except(Inherited.Keys));

    [Fact]
    public void Exceptions_AreAllNeeded()
        => Assert.Empty(Inherited.Keys.Except(Decorators.SelectMany(row => Unforwarded(row.Data))));

    [Theory]
    [InlineData(typeof(DbDataSource), typeof(TransactionPoolingDataSource))]
    [InlineData(typeof(DbDataReader), typeof(LogicalDataReader))]
    public void Decorator_SeesTheWholeBaseClass(Type contract, Type decorator) => Assert.Equal(contract, decorator.BaseType);

    private static IEnumerable<string> Unforwarded(Type decorator)
        => decorator.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(method => method.IsVirtual && !method.IsFinal && !method.IsAssembly && !method.IsPrivate)
            .Where(method => method.DeclaringType != decorator && method.DeclaringType != typeof(object))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
}
