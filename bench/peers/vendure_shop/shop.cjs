// A shop of Vendure, for production: `node shop.cjs seed` makes its tables and products, `node shop.cjs` serves it.
'use strict';

const { readFileSync, writeFileSync } = require('node:fs');
const {
  LanguageCode, bootstrap, dummyPaymentHandler, DefaultLogger, LogLevel,
} = require('@vendure/core');

const given = JSON.parse(readFileSync(process.env.BENCH_ORDER, 'utf8'));
const isSeed = process.argv[2] === 'seed';

const config = {
  apiOptions: { port: Number(process.env.PORT || 3000), hostname: '127.0.0.1', adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: 'bearer',
    requireVerification: false,
    superadminCredentials: { identifier: 'root', password: process.env.BENCH_PASSWORD },
    cookieOptions: { secret: 'for a shop that lives for some minutes' },
  },
  dbConnectionOptions: {
    type: 'postgres', host: process.env.PGHOST, database: process.env.PGDATABASE, username: process.env.PGUSER,
    synchronize: isSeed, logging: false,
  },
  orderOptions: { orderCodeStrategy: { generate: () => given.number } },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: [],
};

const initialData = {
  defaultLanguage: LanguageCode.en,
  defaultZone: 'Asia',
  countries: [{ name: 'Türkiye', code: 'TR', zone: 'Asia' }],
  taxRates: [{ name: 'KDV', percentage: 20 }],
  shippingMethods: [{ name: 'Kargo', price: 0 }],
  paymentMethods: [
    { name: 'card', handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] } },
  ],
  collections: [],
};

function writeProducts() {
  const head = [
    'name', 'slug', 'description', 'assets', 'facets', 'optionGroups', 'optionValues', 'sku', 'price', 'taxCategory',
    'stockOnHand', 'trackInventory', 'variantAssets', 'variantFacets',
  ];
  const rows = given.orderitem_set.map(({ product, attributes, price }) => [
    product.name, product.sku.toLowerCase(), '', '', Object.entries(attributes).map((pair) => pair.join(':')).join('|'),
    '', '', product.sku, price, 'standard', '100', 'false', '', '',
  ]);
  const text = [head, ...rows].map((row) => row.map((cell) => JSON.stringify(cell)).join(',')).join('\n');
  writeFileSync('products.csv', text);
}

async function seed() {
  const { populate } = require('@vendure/core/cli');
  writeProducts();
  const app = await populate(() => bootstrap(config), initialData, 'products.csv');
  await app.close();
  process.exit(0);
}

(isSeed ? seed() : bootstrap(config)).catch((error) => {
  console.error(error);
  process.exit(1);
});
