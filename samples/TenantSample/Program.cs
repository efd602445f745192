using EfPooling.AdoNet;
using EfPooling.Dev;
using Microsoft.EntityFrameworkCore;
using TenantSample;

await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { DatabaseName = "notes" }); // A throw-away.
await using (var owner = new NotesDb(new DbContextOptionsBuilder<NotesDb>().UseNpgsql(server.ConnectionString).Options))
{
    await owner.Database.EnsureCreatedAsync();
    await owner.Database.ExecuteSqlRawAsync("""
        ALTER TABLE "Notes" ADD COLUMN tenant_id text NOT NULL, ALTER COLUMN tenant_id SET DEFAULT current_setting('app.tenant_id');
        ALTER TABLE "Notes" ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON "Notes" USING (tenant_id = current_setting('app.tenant_id'));
        DO $$ BEGIN CREATE ROLE notes_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT, INSERT ON "Notes" TO notes_app;
        """);
}

// One server connection for both tenants. Each statement carries its tenant, so no tenant sees another one's rows.
var options = new DbContextOptionsBuilder<NotesDb>().UseNpgsql(server.ConnectionString).UseTransactionPooling(pool =>
{
    pool.MaxPoolSize = 1;
    pool.SessionSetting<NotesDb>("app.tenant_id", context => context.Tenant, required: true).SessionSetting("role", "notes_app");
}).Options;

await using var tea = new NotesDb(options) { Tenant = "tea-house" };
await using var coffee = new NotesDb(options) { Tenant = "coffee-bar" };
tea.Notes.Add(new Note { Text = "Buy Sencha" });
coffee.Notes.AddRange(new Note { Text = "Buy Arabica" }, new Note { Text = "Clean the grinder" });
await Task.WhenAll(tea.SaveChangesAsync(), coffee.SaveChangesAsync());
foreach (var notes in new[] { tea, coffee })
{
    var texts = await notes.Notes.OrderBy(note => note.Text).Select(note => note.Text).ToListAsync();
    Console.WriteLine($"{notes.Tenant}: {string.Join(", ", texts)}");
}

await using var anonymous = new NotesDb(options);
try
{
    Console.WriteLine($"Without a tenant: {await anonymous.Notes.CountAsync()} notes");
}
catch (SessionSettingMissingException error)
{
    Console.WriteLine($"Without a tenant: {error.SettingName} is missing, so nothing was sent.");
}
