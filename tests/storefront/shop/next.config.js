const path = require("node:path");
const withPzConfig = require("@akinon/next/with-pz-config");

// The modules that the package imports from a shop by name.
const own = { settings: "settings.js", routes: "routes.js", "redux/store": "redux/store.js" };

module.exports = withPzConfig({
  outputFileTracing: false, // only for containers, and it takes long
  webpack: (config) => {
    for (const [name, file] of Object.entries(own)) {
      config.resolve.alias[`${name}$`] = path.join(__dirname, file);
      config.resolve.alias[`@theme/${name}$`] = path.join(__dirname, file);
    }
    return config;
  },
});
