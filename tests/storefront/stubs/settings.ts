// What a shop writes into its own settings.js.
const locales = [
  { label: "English", value: "en", localePath: "en", apiValue: "en", rtl: false, currency: "try" },
  { label: "Türkçe", value: "tr", localePath: "tr", apiValue: "tr-tr", rtl: false, currency: "try" },
];

export default {
  commerceUrl: process.env.COMMERCE_URL,
  localization: { locales, currencies: [], localeUrlStrategy: "hide-default-locale", defaultLocaleValue: "en" },
};
