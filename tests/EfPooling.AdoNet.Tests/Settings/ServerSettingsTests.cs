namespace EfPooling.AdoNet.Tests;

/// <summary>What is believed of a session's settings, without a server: tenants are kept apart by never believing more than a server has confirmed.</summary>
public sealed class ServerSettingsTests
{
    private static readonly SettingMap One = SettingMap.Empty.With("app.tenant", "1");
    private static readonly SettingMap Two = SettingMap.Empty.With("app.tenant", "2");

    [Fact]
    public void FreshSession_HasTheDefaults()
    {
        var settings = new ServerSettings();

        Assert.True(settings.Are(SettingMap.Empty));
        Assert.False(settings.Are(One));
        Assert.Null(settings.Affinity);
        Assert.Equal([new SettingChange("app.tenant", "1")], settings.ChangesTo(One));
    }

    [Fact]
    public void ChangeUnderWay_IsBelievedWhenTheServerHasConfirmedIt()
    {
        var settings = new ServerSettings();

        settings.Changing(One);
        Assert.False(settings.Are(One) || settings.Are(SettingMap.Empty));
        Assert.Null(settings.Affinity);

        settings.Confirmed(One, isInTransaction: false);
        Assert.True(settings.Are(One));
        Assert.Equal(One, settings.Affinity);
        Assert.Equal([new SettingChange("app.tenant", null)], settings.ChangesTo(SettingMap.Empty));
    }

    [Fact]
    public void ChangeInATransaction_IsInDoubtWhenTheTransactionHasEnded()
    {
        var settings = Confirmed(One);
        settings.Changing(Two);
        settings.Confirmed(Two, isInTransaction: true);
        Assert.True(settings.Are(Two));

        settings.OnTransactionEnded();

        Assert.False(settings.Are(One) || settings.Are(Two));
        Assert.Equal([new SettingChange("app.tenant", "1")], settings.ChangesTo(One));
        Assert.Equal([new SettingChange("app.tenant", "2")], settings.ChangesTo(Two));
    }

    [Fact]
    public void SettingsSentAheadOfAStatement_AreInForceIfItSucceeds_AndInDoubtIfItFails()
    {
        var settings = Confirmed(One);
        settings.Sent(Two, inOwnTransaction: false);
        Assert.False(settings.Are(Two));
        settings.OnStatementSucceeded(hasAnswered: true);
        Assert.True(settings.Are(Two));

        settings.Sent(One, inOwnTransaction: false);
        Assert.Same(One, settings.OnStatementFailed(serverAnswered: true));
        Assert.False(settings.Are(One) || settings.Are(Two));
    }

    [Fact]
    public void SettingsSentAsTheirOwnTransaction_AreInForceEvenIfTheStatementFails_UnlessTheConnectionDid()
    {
        var settings = Confirmed(One);
        settings.Sent(Two, inOwnTransaction: true);
        settings.OnStatementFailed(serverAnswered: true);
        Assert.True(settings.Are(Two));

        settings.Sent(One, inOwnTransaction: true);
        settings.OnStatementFailed(serverAnswered: false);
        Assert.False(settings.Are(One) || settings.Are(Two));
    }

    [Fact]
    public void SettingsSentAhead_AreInDoubtIfTheOutcomeWasNotSeen()
    {
        var settings = Confirmed(One);
        settings.Sent(Two, inOwnTransaction: false);
        settings.OnUnobserved();
        settings.OnStatementSucceeded(hasAnswered: true);

        Assert.False(settings.Are(One) || settings.Are(Two));
    }

    [Fact]
    public void StatementThatMayChangeASetting_PutsItInDoubt_AlsoWhenItWasSentAheadOfThatStatement()
    {
        var settings = Confirmed(One);
        settings.Doubt(["app.tenant"]);
        Assert.False(settings.Are(One));

        settings.Sent(Two, inOwnTransaction: true);
        settings.Doubt(["app.tenant"]);
        settings.OnStatementSucceeded(hasAnswered: true);
        Assert.False(settings.Are(Two));
    }

    [Fact]
    public void ValueThatWasReadBack_IsBelieved_UntilItsTransactionEnds()
    {
        var settings = Confirmed(One);
        settings.Doubt(["app.tenant"]);
        settings.Learn("app.tenant", "2", isInTransaction: true);
        Assert.True(settings.Are(Two));

        settings.OnTransactionEnded();
        Assert.False(settings.Are(Two));
    }

    [Fact]
    public void Reset_SetsEverythingBack()
    {
        var settings = Confirmed(One);
        settings.Doubt(["search_path"]);
        settings.OnReset();

        Assert.True(settings.Are(SettingMap.Empty));
        Assert.Empty(settings.Names);
    }

    [Fact]
    public void Role_IsGivenUpFirst_AndTakenOnLast()
    {
        var manager = SettingMap.Empty.With("role", "manager").With("search_path", "m").With("session_authorization", "boss");

        Assert.Equal(["session_authorization", "search_path", "role"], new ServerSettings().ChangesTo(manager).Select(change => change.Name));
        Assert.Equal(["role", "session_authorization", "app.tenant", "search_path"], Confirmed(manager).ChangesTo(One).Select(change => change.Name));
    }

    /// <summary>Any sequence of changes, transactions and failures, beside a session that behaves as PostgreSQL's: whatever is believed is true.</summary>
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void WhateverIsBelieved_IsTrue(int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 300; run++)
        {
            var world = new SettingsWorld(random);
            for (var step = 0; step < 60; step++)
            {
                var what = world.Step();
                Assert.True(world.BelievesOnlyWhatIsTrue, $"Seed {seed}, run {run}, step {step}: after {what} the session has {world.Session}.");
            }

            Assert.True(world.CanBeBroughtTo(One), $"Seed {seed}, run {run}: the session has {world.Session}.");
        }
    }

    private static ServerSettings Confirmed(SettingMap map)
    {
        var settings = new ServerSettings();
        settings.Changing(map);
        settings.Confirmed(map, isInTransaction: false);
        return settings;
    }
}
