using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class NotificationBacklogTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1_000_001)]
    public void Backlog_OutsideItsRange_IsRefusedByName(int backlog)
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => TransactionPoolingDataSource.Create("Host=nowhere", options => options.NotificationBacklog = backlog));

        Assert.Equal($"NotificationBacklog is {backlog}; it must be between 1 and 1000000.", Assert.Single(error.Errors));
    }
}
