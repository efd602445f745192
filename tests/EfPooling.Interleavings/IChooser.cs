namespace EfPooling.Interleavings;

/// <summary>Decides which flow takes the next step.</summary>
internal interface IChooser
{
    /// <param name="count">How many flows could take it; the first is the one that took the last step, if <paramref name="canStay"/>.</param>
    /// <param name="canStay">Whether the flow that took the last step could take this one too, so that any other choice interrupts it.</param>
    /// <returns>Which one does.</returns>
    int Choose(int count, bool canStay);
}
