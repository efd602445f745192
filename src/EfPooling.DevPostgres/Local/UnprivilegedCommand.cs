namespace EfPooling.Dev.Local;

/// <summary>What stands before a command line so that it does not run as root, which PostgreSQL refuses.</summary>
/// <param name="Prefix">Program and arguments to put in front; empty if we are not root; null if it cannot be done.</param>
/// <param name="WhyNot">What is missing; null unless <paramref name="Prefix"/> is null.</param>
internal sealed record UnprivilegedCommand(IReadOnlyList<string>? Prefix, string? WhyNot)
{
    private static readonly string[] Accounts = ["postgres", "nobody"];

    public static UnprivilegedCommand Resolve()
    {
        // On Windows initdb and pg_ctl give up administrator rights by themselves.
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return new UnprivilegedCommand([], null);
        }

        var lines = File.Exists("/etc/passwd") ? File.ReadAllLines("/etc/passwd") : [];
        var account = Accounts
            .Select(name => lines.FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))?.Split(':'))
            .FirstOrDefault(fields => fields is { Length: > 3 });
        if (account is null)
        {
            return new UnprivilegedCommand(null, "we are root, and there is no user 'postgres' or 'nobody' to run it as");
        }

        if (PathLookup.Find("setpriv") is { } setpriv)
        {
            return new UnprivilegedCommand([setpriv, $"--reuid={account[2]}", $"--regid={account[3]}", "--clear-groups"], null);
        }

        return PathLookup.Find("runuser") is { } runuser
            ? new UnprivilegedCommand([runuser, "-u", account[0], "--"], null)
            : new UnprivilegedCommand(null, "we are root, and there is no setpriv or runuser (util-linux) to run it as another user");
    }
}
