"use client";

import { Address } from "./address";
import { Auth, Tracking } from "./visitor";
import { Cancellation } from "./cancellation";
import { Completed, Order, Orders } from "./orders";
import { Offers, Password, Points, Profile } from "./account";

const views = [
  [/^users\/auth$/, Auth],
  [/^account\/orders$/, Orders],
  [/^users\/orders\/(\d+)$/, Order],
  [/^users\/orders\/(\d+)\/cancellation$/, Cancellation],
  [/^account\/address$/, Address],
  [/^account\/points$/, Points],
  [/^account\/profile$/, Profile],
  [/^account\/password$/, Password],
  [/^account\/coupons$/, Offers],
  [/^anonymous-tracking$/, Tracking],
  [/^orders\/completed\/([^/]+)$/, Completed],
];

export default function View({ path }) {
  const address = path.join("/");
  for (const [pattern, Chosen] of views) {
    const match = address.match(pattern);
    if (match) return <Chosen id={match[1]} />;
  }
  return <h1>{address ? "There is no such page." : "The shop"}</h1>;
}
