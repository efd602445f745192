namespace EfPooling.AdoNet.Tests;

/// <summary>Settings whose value is missing, whose name or value cannot be, and whose declaration throws.</summary>
public sealed class MistakenSettingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Tenant = "SELECT current_setting('app.tenant_id', true)";
    private readonly AsyncLocal<string?> _tenant = new();

    [Fact]
    public async Task RequiredValue_ThatIsMissing_ThrowsBeforeAnythingIsSent()
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(1, build: builder => builder.UseLoggerFactory(log).ConfigureOptions(o => o.SessionSetting("app.tenant_id", _ => _tenant.Value, required: true)));
        await using var connection = await pool.OpenConnectionAsync();
        foreach (var missing in new[] { null, "" })
        {
            _tenant.Value = missing;
            var error = await Assert.ThrowsAsync<SessionSettingMissingException>(() => connection.AskAsync<int>("SELECT 1"));
            Assert.Equal("app.tenant_id", error.SettingName);
            Assert.Throws<SessionSettingMissingException>(() => connection.Ask<int>("SELECT 1"));
            await using (await connection.BeginTransactionAsync())
            {
                await Assert.ThrowsAsync<SessionSettingMissingException>(() => connection.RunAsync("SELECT 1"));
            }

            await Assert.ThrowsAsync<SessionSettingMissingException>(async () => await connection.LeaseSessionAsync("test"));
            await Assert.ThrowsAsync<SessionSettingMissingException>(() => connection.GetSchemaAsync("Tables"));
        }

        Assert.Empty(log.Commands);
        connection.SetSessionSetting("app.tenant_id", "mine");
        Assert.Equal("mine", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task OptionalValue_ThatIsMissing_LeavesTheDefault()
    {
        var pool = CreatePool(1, configure: options => options.SessionSetting("app.tenant_id", _ => _tenant.Value));
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
        _tenant.Value = null;
        Assert.Equal("", await connection.AskAsync<string>(Tenant)); // PostgreSQL's default of a custom setting that was set once.
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("app.")]
    [InlineData("app.tenant'id")]
    [InlineData("1st")]
    [InlineData("client_encoding")]
    [InlineData("transaction_read_only")]
    public void BadName_IsRefused(string name)
    {
        Assert.ThrowsAny<ArgumentException>(() => new TransactionPoolingOptions().SessionSetting(name, "x"));
        using var connection = CreatePool().CreateConnection();
        Assert.ThrowsAny<ArgumentException>(() => connection.SetSessionSetting(name, "x"));
    }

    [Fact]
    public async Task ZeroCharacter_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new TransactionPoolingOptions().SessionSetting("app.x", "a\0b"));
        var pool = CreatePool(1, configure: options => options.SessionSetting("app.tenant_id", _ => _tenant.Value, required: true));
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Throws<ArgumentException>(() => connection.SetSessionSetting("app.x", "a\0b"));
        _tenant.Value = "a\0b";
        await Assert.ThrowsAsync<ArgumentException>(() => connection.RunAsync("SELECT 1"));
    }

    [Fact]
    public async Task DeclarationThatThrows_ReachesTheCaller_AndNothingIsLeased()
    {
        var pool = CreatePool(1, configure: options => options.SessionSetting("app.tenant_id", _ => throw new NotSupportedException("no tenant here")));
        await using var connection = await pool.OpenConnectionAsync();
        await Assert.ThrowsAsync<NotSupportedException>(() => connection.RunAsync("SELECT 1"));
        Assert.Throws<NotSupportedException>(() => connection.Run("SELECT 1"));
        await using var transaction = await connection.BeginTransactionAsync();
        await Assert.ThrowsAsync<NotSupportedException>(() => connection.RunAsync("SELECT 1"));
    }
}
