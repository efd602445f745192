namespace OrdersApi.Data;

public enum OrderStatus
{
    Pending,
    Paid,
}
