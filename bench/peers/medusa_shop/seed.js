// Make the customer and the order in a shop of Medusa, by its own workflows: `medusa exec ./seed.js`.
'use strict';

const { readFileSync, writeFileSync } = require('node:fs');
const flows = require('@medusajs/medusa/core-flows');

exports.default = async function seed({ container }) {
  const given = JSON.parse(readFileSync(process.env.BENCH_ORDER, 'utf8'));
  const run = async (workflow, input) => (await workflow(container).run({ input })).result;

  const [channel] = await run(flows.createSalesChannelsWorkflow, { salesChannelsData: [{ name: 'Web' }] });
  const [key] = await run(flows.createApiKeysWorkflow, {
    api_keys: [{ title: 'Web', type: 'publishable', created_by: '' }],
  });
  await run(flows.linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] });
  const [region] = await run(flows.createRegionsWorkflow, {
    regions: [{ name: 'Türkiye', currency_code: 'try', countries: ['tr'], payment_providers: ['pp_system_default'] }],
  });
  const [profile] = await run(flows.createShippingProfilesWorkflow, { data: [{ name: 'Parcels', type: 'default' }] });
  const products = await run(flows.createProductsWorkflow, {
    products: given.orderitem_set.map(({ product, attributes, price }) => ({
      title: product.name, handle: product.sku.toLowerCase(), status: 'published', shipping_profile_id: profile.id,
      thumbnail: product.image, sales_channels: [{ id: channel.id }],
      options: Object.entries(attributes).map(([title, value]) => ({ title, values: [value] })),
      variants: [{
        title: product.name, sku: product.sku, options: attributes, manage_inventory: false,
        prices: [{ amount: Number(price), currency_code: 'try' }],
      }],
    })),
  });

  const [customer] = await run(flows.createCustomersWorkflow, {
    customersData: [{ email: given.user_email, first_name: 'Ayşe', last_name: 'Yılmaz' }],
  });

  const address = (from) => ({
    first_name: from.first_name, last_name: from.last_name, phone: from.phone_number, address_1: from.line,
    address_2: from.district.name, city: from.city.name, province: from.township.name, postal_code: from.postcode,
    country_code: 'tr',
  });
  const order = await run(flows.createOrderWorkflow, {
    region_id: region.id, sales_channel_id: channel.id, customer_id: customer.id, email: given.user_email,
    currency_code: 'try',
    shipping_address: address(given.shipping_address), billing_address: address(given.billing_address),
    items: given.orderitem_set.map((item, place) => ({
      variant_id: products[place].variants[0].id, quantity: item.quantity, unit_price: Number(item.price),
      metadata: { number: given.number }, // an order has none that its owner sees
    })),
  });
  writeFileSync('made.json', JSON.stringify({ order: order.id, key: key.token }));
};
