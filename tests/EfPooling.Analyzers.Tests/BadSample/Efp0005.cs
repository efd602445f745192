namespace BadSample;

public static class Efp0005
{
    public static int Run(DbConnection connection) => connection.Execute("CREATE TEMP TABLE wanted (id int)");
}
