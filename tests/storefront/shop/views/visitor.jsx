import { useState } from "react";
import { signIn } from "next-auth/react";
import { useGetAnonymousTrackingMutation } from "@akinon/next/data/client/user";
import { Field, readForm, Result } from "./result";

export function Auth() {
  const [errors, setErrors] = useState("");
  const enter = async (event) => {
    const form = readForm(event);
    const choice = { redirect: false, formType: "login", locale: "en", captchaValidated: false };
    const answer = await signIn("default", { ...choice, ...form });
    if (answer.error) setErrors(answer.error);
    else location.href = new URLSearchParams(location.search).get("callbackUrl") ?? "/account/orders";
  };
  return (
    <form onSubmit={enter}>
      <h1>Log in</h1>
      <Field name="email" type="email" />
      <Field name="password" type="password" />
      <button>Enter</button>
      {errors && <p role="alert">{errors}</p>}
    </form>
  );
}

export function Tracking() {
  const [find, found] = useGetAnonymousTrackingMutation();
  return (
    <form onSubmit={(event) => find(readForm(event))}>
      <h1>Track an order</h1>
      <Field name="email" />
      <Field name="number" />
      <button>Find</button>
      <Result of={found} />
      {found.data?.map?.((order) => (
        <p key={order.id} className="order">
          {order.number}: {order.status.label}, {order.amount}
        </p>
      ))}
    </form>
  );
}
