using System.Globalization;

namespace EfPooling.Interleavings;

/// <summary>One interleaving, as it was written down; after its end nobody is interrupted any more.</summary>
internal sealed class Repeated(string choices) : IChooser
{
    private readonly Queue<int> _choices = new(choices.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(choice => int.Parse(choice, CultureInfo.InvariantCulture)));

    public int Choose(int count, bool canStay) => _choices.TryDequeue(out var choice) ? Math.Min(choice, count - 1) : 0;
}
