using System.Diagnostics;
using System.Globalization;
using EfPooling.Dev.Local;
using EfPooling.Dev.Sources;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class KilledOwnerTests(ServerFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task WhenTheOwnerIsKilled_ServerAndDirectoryGo()
    {
        using var owner = StartOwner();
        var line = await owner.StandardOutput.ReadLineAsync();
        Assert.True(line is not null, await ErrorsOfAsync(owner, line));
        var fields = line.Split(' ', 2);
        var (postmaster, directory) = (int.Parse(fields[0], CultureInfo.InvariantCulture), fields[1]);
        Assert.True(Processes.IsAlive(postmaster));
        using var removal = new Removal(directory);

        owner.Kill(); // SIGKILL: the owner cannot do anything about it

        await removal.Done.WaitAsync(Patience);
        Assert.False(Processes.IsAlive(postmaster));
    }

    [Fact]
    public async Task WhenTheOwnerGoesDuringInitdb_TheDirectoryGoesToo()
    {
        var binaries = LocalStart.HostOf(fixture.Server).Binaries;
        var watchdog = Watchdog.Start("/tmp", binaries.Directory, UnprivilegedCommand.Resolve().Prefix!, []);
        var directory = await watchdog.ReadAnswerAsync("directory", CancellationToken.None);
        watchdog.Send("init secret");

        await watchdog.DisposeAsync();

        Assert.False(Directory.Exists(directory));
    }

    private static Process StartOwner() =>
        Process.Start(new ProcessStartInfo(
            "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "EfPooling.DevPostgres.Tests.Host.dll")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [ConnectionStringSource.Variable] = "" },
        })!;

    private static async Task<string> ErrorsOfAsync(Process owner, string? line) =>
        line is null ? await owner.StandardError.ReadToEndAsync() : "";
}
