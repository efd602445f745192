using Microsoft.EntityFrameworkCore;

namespace TenantSample;

/// <summary>The caller sets the tenant. The model knows nothing of tenants; the table's policy does.</summary>
internal sealed class NotesDb(DbContextOptions<NotesDb> options) : DbContext(options)
{
    public DbSet<Note> Notes => Set<Note>();

    public string? Tenant { get; set; }
}

internal sealed class Note
{
    public int Id { get; init; }

    public required string Text { get; init; }
}
