import {
  useBulkCancellationMutation,
  useCancelOrderMutation,
  useGetCancellationReasonsQuery,
  useGetOrderQuery,
} from "@akinon/next/data/client/account";
import { readForm, Result } from "./result";

/** As the public theme sends it: strings throughout, and neither a company nor an address of a return. */
function buildBody(order, form, type) {
  const chosen = order.orderitem_set.filter((item) => form[`item-${item.id}`]);
  return {
    id: order.number,
    return_policy: true,
    cancel_order_items: chosen.map((item) => ({
      order_item: String(item.id),
      reason: form.reason,
      cancellation_type: type,
      description: "",
    })),
  };
}

export function Cancellation({ id }) {
  const { data: order } = useGetOrderQuery(id);
  const { data: reasons } = useGetCancellationReasonsQuery();
  const [cancel, cancelled] = useCancelOrderMutation();
  const [request, requested] = useBulkCancellationMutation();
  if (!order || !reasons) return <p role="status">Loading …</p>;
  const type = order.is_cancellable ? "cancel" : "refund";
  const send = (event) => {
    const form = readForm(event);
    const way = event.nativeEvent.submitter?.value === "request" ? request : cancel;
    way(buildBody(order, form, type));
  };
  return (
    <form onSubmit={send}>
      <h1>{type === "cancel" ? "Cancel" : "Return"} items of order {order.number}</h1>
      {order.orderitem_set.map((item) => (
        <p key={item.id}>
          <label>
            <input type="checkbox" name={`item-${item.id}`} /> {item.product.name}: {item.status.label}
          </label>
        </p>
      ))}
      <select name="reason">
        {reasons.results
          .filter((reason) => reason.cancellation_type === type)
          .map((reason) => (
            <option key={reason.id} value={String(reason.id)}>
              {reason.subject}
            </option>
          ))}
      </select>
      <button value="direct">Send</button> <button value="request">Send as a request</button>
      <Result of={cancelled} />
      <Result of={requested} />
    </form>
  );
}
