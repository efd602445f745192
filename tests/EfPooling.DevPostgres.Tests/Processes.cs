using System.Diagnostics;

namespace EfPooling.Dev.Tests;

internal static class Processes
{
    public static bool IsAlive(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
