using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace OrdersApi.Migrations
{
    /// <summary>
    /// Gives every customer, order and line a tenant. Products and their stock have no tenant: all tenants sell from one warehouse.
    /// </summary>
    public partial class Tenants : Migration
    {
        private static readonly string[] Tables = ["customers", "orders", "order_lines"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var table in Tables)
            {
                // What is there already belongs to the first tenant.
                migrationBuilder.AddColumn<string>(name: "tenant_id", table: table, type: "character varying(40)", maxLength: 40, nullable: false, defaultValue: "tea-house");
                migrationBuilder.AlterColumn<string>(
                    name: "tenant_id",
                    table: table,
                    type: "character varying(40)",
                    maxLength: 40,
                    nullable: false,
                    defaultValueSql: "current_setting('app.tenant_id')",
                    oldClrType: typeof(string),
                    oldType: "character varying(40)",
                    oldMaxLength: 40,
                    oldDefaultValue: "tea-house");
            }

            migrationBuilder.DropIndex(name: "IX_customers_email", table: "customers");
            migrationBuilder.CreateIndex(name: "IX_customers_tenant_id_email", table: "customers", columns: new[] { "tenant_id", "email" }, unique: true);
            migrationBuilder.CreateIndex(name: "IX_orders_tenant_id", table: "orders", column: "tenant_id");

            // Demo data, while no policy asks whose they are. Not InsertData: what it does for the sequence comes last, as an owner whom the policies bind.
            migrationBuilder.Sql(
                """
                INSERT INTO customers (tenant_id, email, name) VALUES
                    ('coffee-bar', 'grace@example.com', 'Grace Hopper'), ('coffee-bar', 'barbara@example.com', 'Barbara Liskov')
                """);

            // The role that requests run as: it owns nothing, so that the policies bind it, and may do no more than requests do. One for all
            // databases of a server, therefore it may be there. The owner may become it.
            migrationBuilder.Sql(
                """
                DO $$ BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders_app') THEN
                        CREATE ROLE orders_app NOLOGIN;
                    END IF;
                    IF NOT pg_has_role(current_user, 'orders_app', 'MEMBER') THEN
                        GRANT orders_app TO CURRENT_USER;
                    END IF;
                END $$;
                GRANT SELECT, INSERT, UPDATE ON customers, products, orders, order_lines TO orders_app;
                """);
            foreach (var table in Tables)
            {
                migrationBuilder.Sql(
                    $"""
                    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                    ALTER TABLE {table} FORCE ROW LEVEL SECURITY; -- The owner, too, if a request should ever run as the owner.
                    CREATE POLICY tenant ON {table} USING (tenant_id = current_setting('app.tenant_id'));
                    """);
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (var table in Tables)
            {
                migrationBuilder.Sql($"DROP POLICY tenant ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;");
            }

            migrationBuilder.Sql("REVOKE ALL ON customers, products, orders, order_lines FROM orders_app");
            migrationBuilder.DropIndex(name: "IX_customers_tenant_id_email", table: "customers");
            migrationBuilder.DropIndex(name: "IX_orders_tenant_id", table: "orders");

            // Without tenants an address belongs to one customer, so one tenant's customers stay: those that were there before.
            migrationBuilder.Sql("DELETE FROM orders WHERE tenant_id <> 'tea-house'; DELETE FROM customers WHERE tenant_id <> 'tea-house'");
            foreach (var table in Tables)
            {
                migrationBuilder.DropColumn(name: "tenant_id", table: table);
            }

            migrationBuilder.CreateIndex(name: "IX_customers_email", table: "customers", column: "email", unique: true);
        }
    }
}
