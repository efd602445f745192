namespace EfPooling.Interleavings;

/// <summary>Interrupts flows by chance, some runs often and some seldom, so that both short and long stretches meet.</summary>
internal sealed class AtRandom(Random random) : IChooser
{
    private readonly double _interruptions = random.Next(4) switch { 0 => 0.02, 1 => 0.1, 2 => 0.3, _ => 0.6 };

    public int Choose(int count, bool canStay)
        => !canStay ? random.Next(count) : random.NextDouble() < _interruptions ? random.Next(1, count) : 0;
}
