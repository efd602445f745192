namespace BadSample;

public static class Efp0017
{
    public static void Configure(DbContextOptionsBuilder options) => options.UseNpgsql("Host=db;Pooling=false").UseTransactionPooling();
}
