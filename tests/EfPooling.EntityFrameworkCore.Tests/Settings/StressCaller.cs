using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>One of many callers that do everything at random, each operation as another tenant. Its operations are the same for the same seed.</summary>
internal abstract class StressCaller(StressWorld world, int number, int seed)
{
    protected const string Rows = "SELECT \"Tenant\", \"Claimed\" FROM note ORDER BY \"Id\" DESC LIMIT 5";
    protected const string ManyRows = "SELECT n.\"Tenant\", n.\"Claimed\", repeat('x', 1000) FROM (SELECT * FROM note LIMIT 5) n, generate_series(1, 10)";

    // The first rows leave the server at once, because they are large; the others come never, so only a cancel ends it.
    protected const string EndlessRows = "SELECT \"Tenant\", \"Claimed\", repeat('x', 10000) || CASE WHEN n > 3 THEN pg_sleep(1000)::text ELSE '' END FROM (SELECT * FROM note LIMIT 1) each, generate_series(1, 9) n";
    protected const string Insert = "INSERT INTO note (\"Claimed\", \"Text\", \"Edits\") VALUES (@claimed, @text, 0) RETURNING \"Tenant\"";

    /// <summary>Every tenant has a note of this text from the start, so it cannot be written again.</summary>
    public const string Taken = "taken";

    private readonly List<StressWrite> _writes = []; // of the present operation
    private StressWrite? _latest;
    private int _count;

    protected StressWorld World => world;

    protected Random Random { get; } = new((seed * 1000) + number);

    protected string Tenant { get; private set; } = "";

    protected bool Chance(int percent) => Random.Next(100) < percent;

    protected static IEnumerable<T> Often<T>(int percent, T operation) => Enumerable.Repeat(operation, percent);

    /// <summary>Another tenant than the present one.</summary>
    protected string OtherTenant() => StressWorld.Tenants.Where(tenant => tenant != Tenant).ElementAt(Random.Next(StressWorld.Tenants.Count - 1));

    protected void Begin()
    {
        Tenant = StressWorld.Tenants[Random.Next(StressWorld.Tenants.Count)];
        world.Ambient.Value = null; // Whoever relies on it sets it.
        _writes.Clear();
    }

    protected void Succeeded() => EndWrites(committed: true);

    protected void Failed(Exception error, string operation, bool wasCancelled)
        => EndWrites(world.Ledger.Failed(error, $"caller {number}, {operation}, {Tenant}", wasCancelled) ? false : null);

    /// <summary>A note that the present operation is about to write. Committed if the operation succeeds, unless it says otherwise.</summary>
    protected StressWrite Write(int lines = 0, string? tenant = null)
    {
        var write = new StressWrite(tenant ?? Tenant, $"{number}/{_count++}", lines);
        _writes.Add(write);
        world.Ledger.Add(write);
        return write;
    }

    /// <summary>The latest note of this caller that is surely there, whoever's it is.</summary>
    protected StressWrite? Latest() => _latest;

    protected static Note NoteOf(StressWrite write) => new()
    {
        Claimed = write.Tenant,
        Text = write.Text,
        Lines = [.. Enumerable.Range(0, write.Lines).Select(i => new NoteLine { Claimed = write.Tenant, Text = $"{i}" })],
    };

    /// <summary>A connection that has its tenant in one of the two ways there are without a context.</summary>
    protected LogicalConnection Connect()
    {
        var connection = world.Pool.CreateConnection();
        if (Chance(50))
        {
            world.Ambient.Value = Tenant;
        }
        else
        {
            world.Ambient.Value = "nobody"; // The connection's own wins.
            connection.SetSessionSetting("app.tenant_id", Tenant);
        }

        return connection;
    }

    /// <summary>A row that was read by this tenant must be its own, as the server and as the writer saw it.</summary>
    protected void See(string tenant, string claimed, string? reader = null)
    {
        world.Ledger.SawRow();
        if (tenant != (reader ?? Tenant) || claimed != (reader ?? Tenant))
        {
            world.Ledger.Mistake($"Caller {number} read a row of {tenant} (claimed by {claimed}) as {reader ?? Tenant}.");
        }
    }

    protected void Expect(bool condition, string what)
    {
        if (!condition)
        {
            world.Ledger.Mistake($"Caller {number} as {Tenant}: {what}");
        }
    }

    /// <summary>A parameter that Npgsql cannot write: the statement is not sent, although its settings are on their way.</summary>
    protected static NpgsqlParameter Unwritable() => new("x", NpgsqlTypes.NpgsqlDbType.Integer) { Value = "no number" };

    private void EndWrites(bool? committed)
    {
        foreach (var write in _writes)
        {
            write.End(committed);
            _latest = write.IsCommitted == true ? write : _latest;
        }
    }
}
