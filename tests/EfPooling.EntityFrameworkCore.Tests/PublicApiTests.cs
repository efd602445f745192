using System.Reflection;
using EfPooling.Testing;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>What others build on changes on purpose only.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("EfPooling.Core")]
    [InlineData("EfPooling.AdoNet")]
    [InlineData("EfPooling.EntityFrameworkCore")]
    public void PublicApi_IsTheApprovedOne(string assembly) => Snapshots.Verify(PublicApi.Of(Assembly.Load(assembly)), assembly);
}
