namespace EfPooling.Benchmarks.Load;

/// <summary>Shows how far a scenario is.</summary>
internal interface ILoadProgress
{
    /// <summary>The scenario has that many steps in all. Called before the first.</summary>
    void Begin(int steps);

    /// <summary>The next step begins.</summary>
    void Step(string what);
}
