using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

/// <summary>A context of one tenant at a time, over tables in which row-level security alone keeps tenants apart.</summary>
public class Notebook(DbContextOptions options) : DbContext(options)
{
    /// <summary>Whose notes the context sees. A pooled context gets another one with each user.</summary>
    public string? Tenant { get; set; }

    public DbSet<Note> Notes => Set<Note>();

    public DbSet<NoteLine> Lines => Set<NoteLine>();

    /// <summary>Declares the tenant as the issue and the documentation show it.</summary>
    public static void DeclareTenant(TransactionPoolingOptions options)
        => options.SessionSetting<Notebook>("app.tenant_id", context => context.Tenant, required: true);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var note = modelBuilder.Entity<Note>().ToTable("note");
        note.Property(each => each.Tenant).HasDefaultValueSql("current_setting('app.tenant_id')");
        note.HasIndex(each => new { each.Tenant, each.Text }).IsUnique();
        note.HasMany(each => each.Lines).WithOne().HasForeignKey(line => line.NoteId);
        modelBuilder.Entity<NoteLine>().ToTable("line").Property(each => each.Tenant).HasDefaultValueSql("current_setting('app.tenant_id')");
    }
}

public sealed class Note
{
    private readonly ILazyLoader? _lazyLoader;
    private List<NoteLine> _lines = [];

    public Note()
    {
    }

    // EF Core's constructor: it injects what loads the lines when they are first looked at.
    private Note(ILazyLoader lazyLoader) => _lazyLoader = lazyLoader;

    public int Id { get; set; }

    /// <summary>The session's tenant, as the server knew it.</summary>
    public string Tenant { get; set; } = null!;

    /// <summary>The writer's tenant, as the writer knew it.</summary>
    public string Claimed { get; set; } = "";

    public string Text { get; set; } = "";

    public int Edits { get; set; }

    public List<NoteLine> Lines
    {
        get => _lazyLoader.Load(this, ref _lines!)!;
        set => _lines = value;
    }
}

public sealed class NoteLine
{
    public int Id { get; set; }

    public int NoteId { get; set; }

    public string Tenant { get; set; } = null!;

    public string Claimed { get; set; } = "";

    public string Text { get; set; } = "";
}
