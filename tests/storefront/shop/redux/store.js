import { configureStore } from "@reduxjs/toolkit";
import middlewares from "@akinon/next/redux/middlewares";
import reducers from "@akinon/next/redux/reducers";

// Plug-ins that are not installed give no reducer.
const installed = Object.fromEntries(Object.entries(reducers).filter(([, reducer]) => reducer));

export const store = configureStore({
  reducer: installed,
  middleware: (defaults) => defaults({ serializableCheck: false }).concat(middlewares),
});
