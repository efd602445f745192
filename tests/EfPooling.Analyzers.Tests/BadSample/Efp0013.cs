namespace BadSample;

public sealed class Efp0013 : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SET LOCAL app.tenant = '7'");
}
