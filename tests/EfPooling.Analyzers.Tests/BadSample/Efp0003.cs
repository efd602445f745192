namespace BadSample;

public static class Efp0003
{
    public static int Run(DbConnection connection) => connection.Execute("SELECT pg_advisory_lock(42)");
}
