const locales = [
  { label: "English", value: "en", localePath: "en", apiValue: "en", rtl: false, currency: "try" },
  { label: "Türkçe", value: "tr", localePath: "tr", apiValue: "tr-tr", rtl: false, currency: "try" },
];

// The shop's own settings. The router stands at SERVICE_BACKEND_URL.
module.exports = {
  commerceUrl: encodeURI(process.env.SERVICE_BACKEND_URL ?? "default"),
  redis: { defaultExpirationTime: 900 },
  rewrites: [],
  localization: {
    locales,
    currencies: [{ label: "TRY", code: "try" }],
    localeUrlStrategy: "hide-default-locale",
    redirectToDefaultLocale: true,
    defaultLocaleValue: "en",
    defaultCurrencyCode: "try",
  },
};
