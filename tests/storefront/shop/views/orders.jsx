import { useGetOrderQuery, useGetOrdersQuery } from "@akinon/next/data/client/account";
import { useFetchCheckoutResultQuery } from "@akinon/next/data/client/checkout";
import { Result } from "./result";

export function Orders() {
  const orders = useGetOrdersQuery({ page: 1, limit: 50 });
  return (
    <>
      <h1>Orders</h1>
      <Result of={orders} />
      <ul>
        {orders.data?.results.map((order) => (
          <li key={order.id} className="order">
            <a href={`/users/orders/${order.id}`}>{order.number}</a>: {order.status.label}, {order.amount}{" "}
            {order.currency.label}
          </li>
        ))}
      </ul>
    </>
  );
}

function Items({ order }) {
  return (
    <ul>
      {order.orderitem_set.map((item) => (
        <li key={item.id} className="item" data-status={item.status.value}>
          {item.product.name} ({item.quantity}): {item.status.label}, {item.price}
          {item.active_cancellation_request && (
            <em> · {item.active_cancellation_request.status.label} · </em>
          )}
          {item.active_cancellation_request?.easy_return?.code && (
            <b className="code">{item.active_cancellation_request.easy_return.code}</b>
          )}
        </li>
      ))}
    </ul>
  );
}

function Sheet({ order }) {
  const address = order.shipping_address;
  return (
    <>
      <p id="status">
        {order.status.label}, {order.amount} {order.currency.label}, {order.payment_option.name}
      </p>
      <Items order={order} />
      <p id="delivery">
        {address.first_name} {address.last_name}, {address.line}, {address.township.name}, {address.city.name}
      </p>
      {(order.is_cancellable || order.is_refundable) && (
        <a href={`/users/orders/${order.id}/cancellation`}>{order.is_cancellable ? "Cancel" : "Return"} items</a>
      )}
    </>
  );
}

export function Order({ id }) {
  const order = useGetOrderQuery(id);
  return (
    <>
      <h1>Order {order.data?.number}</h1>
      <Result of={order} />
      {order.data && <Sheet order={order.data} />}
    </>
  );
}

export function Completed({ id }) {
  const result = useFetchCheckoutResultQuery(id);
  return (
    <>
      <h1>Thank you. Order {result.data?.order.number}</h1>
      <Result of={result} />
      {result.data && <Sheet order={result.data.order} />}
    </>
  );
}
