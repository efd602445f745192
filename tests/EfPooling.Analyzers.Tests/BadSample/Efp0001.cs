namespace BadSample;

public static class Efp0001
{
    public static int Run(Shop db, string tenant) => db.Database.ExecuteSql($"SELECT set_config('app.tenant', {tenant}, false)");
}
