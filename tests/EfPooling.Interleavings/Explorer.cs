namespace EfPooling.Interleavings;

/// <summary>
/// Runs a scenario under many interleavings of its flows. A run is deterministic: one flow moves at a time, and is interrupted only at the points that the
/// rewritten assemblies have, which are all their interlocked and volatile accesses, locks and awaits, and the uses of fields that flows share.
/// </summary>
/// <remarks>Sequentially consistent: reorderings by the processor are not explored.</remarks>
public static class Explorer
{
    /// <summary>All interleavings with few interruptions. Most faults need one or two.</summary>
    /// <param name="create">Makes the scenario anew, with a state of its own.</param>
    /// <param name="maxInterruptions">How often a flow that could go on is interrupted, at most.</param>
    /// <param name="seesPlainAccesses">Whether accesses that are not atomic by themselves are points too.</param>
    /// <returns>How many there were.</returns>
    /// <exception cref="InterleavingException">The scenario fails under one.</exception>
    public static int ExploreAll(Func<Scenario> create, int maxInterruptions, bool seesPlainAccesses)
    {
        using var threads = new FlowThreads();
        var exhaustive = new Exhaustive(maxInterruptions);
        var runs = 0;
        do
        {
            using var run = new Run(create(), exhaustive, seesPlainAccesses);
            run.Execute(threads);
            runs++;
        }
        while (exhaustive.Next());

        return runs;
    }

    /// <summary>Interleavings by chance, with any number of interruptions.</summary>
    /// <param name="create">Makes the scenario anew, with a state of its own; may choose what the flows do.</param>
    /// <param name="runs">How many.</param>
    /// <param name="seed">Where the random numbers begin.</param>
    /// <exception cref="InterleavingException">The scenario fails under one; the message tells the seed that repeats it as the first run.</exception>
    public static void ExploreAtRandom(Func<Random, Scenario> create, int runs, int seed)
    {
        using var threads = new FlowThreads();
        for (var run = 0; run < runs; run++)
        {
            try
            {
                var random = new Random(seed + run);
                using var one = new Run(create(random), new AtRandom(random), seesPlainAccesses: true);
                one.Execute(threads);
            }
            catch (InterleavingException e)
            {
                throw new InterleavingException($"EFPOOLING_SEED={seed + run} repeats it: {e.Message}", e.Choices, e.InnerException);
            }
        }
    }

    /// <summary>One interleaving that was found before.</summary>
    /// <param name="create">Makes the scenario.</param>
    /// <param name="choices">As <see cref="InterleavingException.Choices"/> says.</param>
    /// <param name="seesPlainAccesses">As it was then.</param>
    public static void Repeat(Func<Scenario> create, string choices, bool seesPlainAccesses)
    {
        using var threads = new FlowThreads();
        using var run = new Run(create(), new Repeated(choices), seesPlainAccesses);
        run.Execute(threads);
    }
}
