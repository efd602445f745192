using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Notices when Npgsql changes what <see cref="NpgsqlInternals"/> relies on.</summary>
public sealed class NpgsqlInternalsTests
{
    [Fact]
    public void Npgsql_StillLetsMessagesTravelAheadOfACommand() => Assert.True(NpgsqlInternals.CanPrepend);

    [Fact]
    public void Npgsql_StillNotesWhatABatchPrepares() => Assert.True(NpgsqlInternals.CanTellPreparing);

    [Fact]
    public void Npgsql_StillNotesThatAReadWasCancelled() => Assert.True(NpgsqlInternals.CanTellCancelled);

    [Fact]
    public void Npgsql_StillLetsItsReaderBeRenewed() => Assert.True(NpgsqlInternals.CanRenewReader);

    [Fact]
    public void Npgsql_StillLetsItsTransactionBeRenewed() => Assert.True(NpgsqlInternals.CanRenewTransaction);

    [Fact]
    public void Npgsql_StillTellsItsSettings() => Assert.True(NpgsqlInternals.CanTellSettings);

    [Fact]
    public void Npgsql_StillTellsItsInitializer() => Assert.True(NpgsqlInternals.CanInitialize);

    [Fact]
    public void Npgsql_StillTellsItsHosts()
    {
        using var hosts = new NpgsqlDataSourceBuilder("Host=a,b").BuildMultiHost();
        Assert.Same(hosts, NpgsqlInternals.GetMultiHost(hosts.WithTargetSession(TargetSessionAttributes.Primary)));
    }

    [Fact]
    public void Npgsql_StillKnowsWhetherATransactionIsOpen() => Assert.True(NpgsqlInternals.CanTellTransaction);

    [Fact]
    public void Npgsql_StillHasItsSocket() => Assert.True(NpgsqlInternals.CanTellPeer);

    [Fact]
    public void Npgsql_StillNotesThatADataSourceWasDisposed()
    {
        Assert.True(NpgsqlInternals.CanTellDisposed);
        var source = Npgsql.NpgsqlDataSource.Create("Host=localhost");
        Assert.False(NpgsqlInternals.IsDisposed(source));
        source.Dispose();
        Assert.True(NpgsqlInternals.IsDisposed(source));
    }

    [Fact]
    public void Npgsql_StillCountsItsPreparedStatements() => Assert.True(NpgsqlInternals.CanCountPrepared);
}
