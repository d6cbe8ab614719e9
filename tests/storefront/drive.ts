// Make the calls of the storefront's account, order, address and checkout-result pages, by the package's own code.
import { configureStore } from "@reduxjs/toolkit";
import Auth from "@akinon/next/api/auth";
import "@akinon/next/data/client/account";
import "@akinon/next/data/client/address";
import "@akinon/next/data/client/checkout";
import "@akinon/next/data/client/user";
import { api } from "@akinon/next/data/client/api";
import { URLS } from "@akinon/next/data/urls";
import { calls, jar, keepCookies, loseAnswers, openShop } from "./browser";

interface World {
  email: string;
  password: string;
  order: { id: number; number: string; signed: string; items: number[] };
  other: { number: string; items: number[] };
  reason: number;
  guest: { number: string; email: string };
}

const world: World = JSON.parse(process.env.WORLD ?? "{}");
const answers: Record<string, unknown> = {};

const store = configureStore({
  reducer: { [api.reducerPath]: api.reducer },
  middleware: (defaults) => defaults({ serializableCheck: false, immutableCheck: false }).concat(api.middleware),
});

/** Make one call through the package's data layer; keep what its component would get. */
async function call(name: string, endpoint: string, argument?: unknown): Promise<any> {
  const before = calls.length;
  const promise: any = store.dispatch((api.endpoints as any)[endpoint].initiate(argument));
  const result = await promise;
  // The page is left: what is shown nowhere is not read again when something changes.
  promise.unsubscribe?.();
  answers[name] = {
    data: result.data ?? null,
    error: result.error ?? null,
    calls: calls.slice(before),
  };
  return result.data;
}

async function logIn(password: string): Promise<unknown> {
  const response = { setHeader: (_name: string, values: string[]) => keepCookies(values) };
  const request = {
    cookies: Object.fromEntries(jar),
    headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
  };
  const options = (Auth as any)(request, response);
  const provider = options.providers.find((one: any) => one.id === "default");
  const form = { email: world.email, password, formType: "login", locale: "en", captchaValidated: "false" };
  try {
    return { user: await provider.authorize(form) };
  } catch (error) {
    return { errors: JSON.parse((error as Error).message) };
  }
}

/** What the package's middleware does for a browser that has no token yet. */
async function getToken(): Promise<void> {
  const { csrf_token } = await (await fetch(URLS.user.csrfToken)).json();
  jar.set("csrftoken", csrf_token);
}

async function seeOrders(): Promise<void> {
  await call("orders", "getOrders", { page: 1, limit: 5 });
  await call("orders_of_a_time", "getOrders", { createdDate: "2020-01-01", endDate: "2020-12-31" });
  await call("order", "getOrder", String(world.order.id));
  await call("foreign_order", "getOrder", "999999");
  await call("checkout_result", "fetchCheckoutResult", world.order.signed);
  await call("reasons", "getCancellationReasons");
  await call("balance", "getLoyaltyBalance");
  await call("points", "getLoyaltyTransactions");
}

async function keepAddresses(): Promise<void> {
  const countries = await call("countries", "getCountries");
  const cities = await call("cities", "getCities", String(countries.results[0].pk));
  const townships = await call("townships", "getTownships", String(cities.results[0].pk));
  const districts = await call("districts", "getDistricts", String(townships.results[0].pk));
  await call("stores", "getRetailStore");
  await call("store_cities", "getRetailStoreCities", String(countries.results[0].pk));
  await call("store_townships", "getRetailStoreTownships", String(cities.results[0].pk));
  const form = {
    type: "",
    is_corporate: "false",
    title: "Work",
    first_name: "Ayşe",
    last_name: "Yılmaz",
    phone_number: "05321234567",
    country: String(countries.results[0].pk),
    city: String(cities.results[0].pk),
    township: String(townships.results[0].pk),
    district: String(districts.results[0].pk),
    line: "Büyükdere Caddesi 100",
    postcode: "34394",
    country_code: "+90",
  };
  const added = await call("add_address", "addAddress", form);
  loseAnswers(1);
  await call("add_address_again", "addAddress", { ...form, title: "Summer" });
  await call("bad_address", "addAddress", { ...form, phone_number: "1", city: "" });
  await call("edit_address", "editAddress", { ...form, pk: added.pk, line: "Büyükdere Caddesi 102" });
  await call("prefer_address", "setDefaultAddress", { pk: added.pk, primary: true });
  await call("addresses", "getAddresses");
  await call("remove_address", "removeAddress", added.pk);
  await call("addresses_left", "getAddresses");
}

async function cancel(): Promise<void> {
  const entry = (item: number) => ({
    order_item: String(item),
    reason: String(world.reason),
    cancellation_type: "cancel",
    description: "",
  });
  const [first, second] = world.order.items;
  await call("cancel", "cancelOrder", {
    id: world.order.number,
    cancel_order_items: [entry(first)],
    return_policy: true,
  });
  loseAnswers(2);
  await call("cancel_with_lost_answers", "cancelOrder", {
    id: world.order.number,
    cancel_order_items: [entry(second)],
    return_policy: true,
  });
  await call("bulk", "bulkCancellation", {
    id: world.other.number,
    cancel_order_items: world.other.items.map(entry),
    return_policy: true,
  });
}

async function main(): Promise<void> {
  const close = await openShop();
  await call("anonymous_orders", "getOrders", {});
  await getToken();
  await call("guest", "getAnonymousTracking", world.guest);
  await call("wrong_guest", "getAnonymousTracking", { ...world.guest, email: "x@example.com" });
  answers.wrong_login = await logIn("wrong");
  answers.login = await logIn(world.password);
  answers.cookies = [...jar.keys()].sort();
  await seeOrders();
  await keepAddresses();
  await cancel();
  const token = jar.get("csrftoken");
  jar.set("csrftoken", "wrong");
  await call("no_token", "addAddress", {});
  jar.set("csrftoken", token ?? "");
  await call("logout", "logout");
  await call("orders_after_logout", "getOrders", {});
  close();
  process.stdout.write(`\n${JSON.stringify(answers)}\n`, () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
