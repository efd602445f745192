using EfPooling.Testing;

namespace EfPooling.Aot.Tests;

/// <summary>What compiling ahead of time needs besides the SDK: a C compiler that links, of which the SDK takes the first it finds.</summary>
internal static class NativeToolChain
{
    private static readonly string[] Compilers = OperatingSystem.IsMacOS() ? ["clang"] : ["clang", "gcc"];

    /// <summary>Whether a compiler is there, and makes a program of a few characters. On Windows nobody looks, and the answer is no.</summary>
    public static async Task<bool> IsThereAsync(string folder)
    {
        if (OperatingSystem.IsWindows() || Compilers.FirstOrDefault(IsOnPath) is not { } compiler)
        {
            return false;
        }

        var source = Path.Combine(folder, "empty.c");
        await File.WriteAllTextAsync(source, "int main(void) { return 0; }\n");
        var run = await ProgramRun.OfAsync(compiler, source, "-o", Path.Combine(folder, "empty"));
        return run.ExitCode == 0;
    }

    private static bool IsOnPath(string program)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
