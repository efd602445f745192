namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A note that a caller of the stress tried to write. Used by its caller only, until all are done.</summary>
/// <param name="tenant">Whose note.</param>
/// <param name="text">Unique.</param>
/// <param name="lines">How many lines it has.</param>
internal sealed class StressWrite(string tenant, string text, int lines)
{
    public string Tenant => tenant;

    public string Text => text;

    public int Lines => lines;

    /// <summary>Null: nobody knows, because the answer was lost or the operation cancelled.</summary>
    public bool? IsCommitted { get; private set; }

    /// <summary>The operation that writes it has not come to an end.</summary>
    public bool IsPending { get; private set; } = true;

    public void End(bool? committed)
    {
        if (IsPending)
        {
            (IsPending, IsCommitted) = (false, committed);
        }
    }
}
