namespace BadSample;

public static class Efp0004
{
    public static int Run(Shop db) => db.Database.ExecuteSqlRaw("LISTEN orders");
}
