using System.Runtime.CompilerServices;

namespace EfPooling.Testing;

/// <summary>Lets the environment switch shuffle mode on for a whole run of a test project; linked into those that use a server.</summary>
internal static class ShuffledRun
{
    [ModuleInitializer]
    internal static void SwitchOn()
        => AppContext.SetSwitch("EfPooling.Shuffle", Environment.GetEnvironmentVariable("EFPOOLING_TEST_SHUFFLE") == "true");
}
