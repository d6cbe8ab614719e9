// Pages that the package's middlewares do not ask the backend about. The others (`/users/orders/…`, `/account/points`)
// they do, without cookies, and follow what comes back.
export const ROUTES = {
  HOME: "/",
  AUTH: "/users/auth",
  BASKET: "/baskets/basket",
  ACCOUNT_ORDERS: "/account/orders",
  ACCOUNT_ADDRESS: "/account/address",
};
