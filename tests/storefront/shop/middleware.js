import { NextResponse } from "next/server";
import { withPzDefault } from "@akinon/next/middlewares";

export default withPzDefault(async () => NextResponse.next());

export const config = { matcher: ["/((?!api|_next|.*\\.\\w+$).*)"] };
