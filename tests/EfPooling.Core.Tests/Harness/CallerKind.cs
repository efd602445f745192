namespace EfPooling.Core.Tests.Harness;

/// <summary>How a test calls: on a thread of its own that blocks, or with a task.</summary>
public enum CallerKind
{
    Sync,
    Async,
}
