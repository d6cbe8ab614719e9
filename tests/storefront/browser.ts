// A shop's Next.js server with the package's route handlers, and a browser in front of it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as proxy from "@akinon/next/api/client";
import * as logout from "@akinon/next/api/logout";

type Handler = (request: Request, context: { params: { slug: string[] } }) => Promise<Response>;

/** The browser's cookies. Scripts see only those that are not HttpOnly. */
export const jar = new Map<string, string>();
const HTTP_ONLY = new Set(["sessionid", "osessionid"]);

/** Every call that reached Aftercart: method, path, status, and what the proxy sent with it. */
export const calls: { method: string; path: string; status: number; headers: Record<string, string> }[] = [];
let answersToLose = 0;

/** Lose the next answers of Aftercart on their way to the storefront's server. */
export function loseAnswers(count: number): void {
  answersToLose = count;
}

const realFetch = globalThis.fetch;
const RealRequest = globalThis.Request;
let origin = "";

async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const url = new URL(incoming.url ?? "/", origin);
  const method = incoming.method ?? "GET";
  const request = new RealRequest(url, { method, headers, body: body.length ? body : undefined });
  let response: Response;
  if (url.pathname === "/api/logout") {
    response = await logout.POST(request);
  } else {
    const slug = url.pathname.replace(/^\/api\/client\//, "").split("/").filter(Boolean);
    const handlers = proxy as unknown as Record<string, Handler>;
    response = await handlers[method](request, { params: { slug } });
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

/** What the browser, and the server behind it, fetch. */
async function fetchAnything(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new RealRequest(input, init);
  if (new URL(request.url).origin !== origin) return fetchCommerce(request);
  const headers = new Headers(request.headers);
  headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
  headers.set("osessionid", jar.get("osessionid") ?? "");
  // What a browser, and the load balancers in front of the shop's server, add.
  headers.set("origin", origin);
  headers.set("referer", `${origin}/account/orders`);
  headers.set("x-forwarded-for", "203.0.113.7, 10.0.0.1");
  headers.set("x-forwarded-host", "shop.example.com");
  headers.set("x-forwarded-proto", "https");
  const body = request.body ? await request.text() : undefined;
  const response = await realFetch(request.url, { method: request.method, headers, body });
  keepCookies(response.headers.getSetCookie());
  return response;
}

async function fetchCommerce(request: Request): Promise<Response> {
  const response = await realFetch(request);
  const url = new URL(request.url);
  calls.push({
    method: request.method,
    path: `${url.pathname}${url.search}`,
    status: response.status,
    headers: Object.fromEntries(request.headers),
  });
  if (answersToLose > 0) {
    answersToLose -= 1;
    await response.arrayBuffer();
    throw new TypeError("fetch failed");
  }
  return response;
}

/** Keep cookies as a browser does: of several in one header, the first. */
export function keepCookies(headers: string[]): void {
  for (const header of headers) {
    const [name, value] = header.split(";")[0].split(/=(.*)/s);
    if (/expires=Thu, 01.Jan.1970/i.test(header) || /max-age=0/i.test(header)) jar.delete(name);
    else jar.set(name, value);
  }
}

/** Open the shop: start its server, and put a browser's globals in place. */
export async function openShop(): Promise<() => void> {
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error) => {
      console.error(error);
      outgoing.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  globalThis.fetch = fetchAnything as typeof fetch;
  globalThis.Request = class extends RealRequest {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" && input.startsWith("/") ? `${origin}${input}` : input, init);
    }
  } as typeof Request;
  Object.defineProperty(globalThis, "document", {
    value: {
      get cookie() {
        return [...jar].filter(([name]) => !HTTP_ONLY.has(name)).map((pair) => pair.join("=")).join("; ");
      },
    },
  });
  return () => server.close();
}
