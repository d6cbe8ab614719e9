import {
  useGetBasketOffersQuery,
  useGetContactSubjectsQuery,
  useGetDiscountItemsQuery,
  useGetExpiredBasketOffersQuery,
  useGetFutureBasketOffersQuery,
  useGetLoyaltyBalanceQuery,
  useGetLoyaltyTransactionsQuery,
  useGetProfileInfoQuery,
  useUpdatePasswordMutation,
  useUpdateProfileMutation,
} from "@akinon/next/data/client/account";
import { Field, readForm, Result } from "./result";

export function Points() {
  const balance = useGetLoyaltyBalanceQuery();
  const entries = useGetLoyaltyTransactionsQuery();
  return (
    <>
      <h1>Points</h1>
      <p id="balance">{balance.data?.balance}</p>
      <Result of={entries} />
      <ul>
        {entries.data?.results.map((entry, place) => (
          <li key={place} className="entry">
            {entry.amount}, order {entry.transaction.order}, {entry.transaction.created_date}
          </li>
        ))}
      </ul>
    </>
  );
}

export function Profile() {
  const profile = useGetProfileInfoQuery();
  const [update, updated] = useUpdateProfileMutation();
  if (!profile.data) return <Result of={profile} />;
  const names = ["first_name", "last_name", "phone"];
  return (
    <form onSubmit={(event) => update(readForm(event))}>
      <h1>Profile</h1>
      {names.map((name) => (
        <Field key={name} name={name} defaultValue={profile.data[name] ?? ""} />
      ))}
      <button>Save</button>
      <Result of={updated} />
    </form>
  );
}

export function Password() {
  const [update, updated] = useUpdatePasswordMutation();
  return (
    <form onSubmit={(event) => update(readForm(event))}>
      <h1>Password</h1>
      {["old_password", "new_password1", "new_password2"].map((name) => (
        <Field key={name} name={name} type="password" />
      ))}
      <button>Save</button>
      <Result of={updated} />
    </form>
  );
}

export function Offers() {
  const calls = [
    useGetBasketOffersQuery(),
    useGetFutureBasketOffersQuery(),
    useGetExpiredBasketOffersQuery(),
    useGetDiscountItemsQuery(),
    useGetContactSubjectsQuery(),
  ];
  return (
    <>
      <h1>Coupons and questions</h1>
      {calls.map((call, place) => (
        <Result key={place} of={call} />
      ))}
    </>
  );
}
