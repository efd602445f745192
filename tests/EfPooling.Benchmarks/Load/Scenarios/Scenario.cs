using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>One comparison of all peers.</summary>
internal abstract class Scenario
{
    /// <summary>Name on the command line and in results.</summary>
    public abstract string Name { get; }

    /// <summary>What happens, in one sentence.</summary>
    public abstract string Description { get; }

    /// <summary>Whether a quick run goes through all APIs here too.</summary>
    public virtual bool IsQuickWithAllApis => false;

    public abstract Task<ScenarioResult> RunAsync(LoadContext context, ILoadProgress progress);
}
