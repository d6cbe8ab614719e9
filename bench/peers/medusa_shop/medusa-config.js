// A shop of Medusa, for production, with its modules for one process.
'use strict';

const { defineConfig } = require('@medusajs/framework/utils');

const secret = 'for a shop that lives for some minutes';

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.BENCH_DATABASE_URL,
    databaseDriverOptions: { ssl: false },
    http: { jwtSecret: secret, cookieSecret: secret, storeCors: '*', adminCors: '*', authCors: '*' },
  },
  admin: { disable: true },
});
