"use client";

import PzProviders from "@akinon/next/components/pz-providers";
import { useLogoutMutation } from "@akinon/next/data/client/user";
import { signOut, useSession } from "next-auth/react";

function Header() {
  const { data: session } = useSession();
  const [logOut] = useLogoutMutation();
  const leave = async () => {
    await logOut();
    await signOut({ callbackUrl: "/users/auth" });
  };
  return (
    <header>
      <strong>The shop</strong> · <a href="/account/orders">Orders</a> · <a href="/account/address">Addresses</a> ·{" "}
      <a href="/account/points">Points</a> · <a href="/account/profile">Profile</a> ·{" "}
      <a href="/anonymous-tracking">Track an order</a> ·{" "}
      {session?.user ? (
        <>
          <span id="who">{session.user.email}</span> <button onClick={leave}>Log out</button>
        </>
      ) : (
        <a href="/users/auth">Log in</a>
      )}
      <hr />
    </header>
  );
}

export default function Shop({ children }) {
  return (
    <PzProviders translations={{}}>
      <Header />
      <main>{children}</main>
    </PzProviders>
  );
}
