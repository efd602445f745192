namespace BadSample;

public static class Efp0006
{
    public static int Run(DbConnection connection) => connection.Execute("BEGIN");
}
