using EfPooling.Aot.Sample;

// One line per subject, which EfPooling.Aot.Tests compares. What throws ends the program.
var connectionString = args[0];
Console.WriteLine($"internals: {Internals.Describe()}");
await using var uses = new PoolUses(connectionString);
Console.WriteLine($"query: {await uses.QueryAsync()}");
Console.WriteLine($"transaction: {await uses.TransactAsync()}");
Console.WriteLine($"setting: {await uses.ReadSettingAsync()}");
Console.WriteLine($"notification: {await uses.HearAsync()}");
Console.WriteLine($"shared reads: {await SharedReads.RunAsync(connectionString)}");
Console.WriteLine($"concurrent use: {await Mistakes.UseAtTheSameTimeAsync(connectionString)}");
Console.WriteLine($"two participants: {await Mistakes.CommitWithAnotherParticipantAsync(connectionString)}");
