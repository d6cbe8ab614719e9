// Bundle the script with the package's own TypeScript sources, as they were published.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const stubs = {
  settings: "settings.ts",
  routes: "shop.ts",
  "redux/store": "shop.ts",
  "@theme/redux/store": "shop.ts",
  "@akinon/pz-masterpass/src/redux/reducer": "shop.ts",
  "@akinon/pz-masterpass/src/utils": "shop.ts",
  "next/server": "next.ts",
  "next-auth": "next.ts",
  "next-auth/providers/credentials": "credentials.ts",
};

await build({
  entryPoints: [join(here, "drive.ts")],
  outfile: process.argv[2],
  bundle: true,
  platform: "node",
  format: "cjs",
  logLevel: "error",
  alias: Object.fromEntries(
    Object.entries(stubs).map(([name, file]) => [name, join(here, "stubs", file)])
  ),
});
