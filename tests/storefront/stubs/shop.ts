// What a shop's own code and its plug-ins give the package, as far as these calls need them: nothing.
export const ROUTES = { AUTH: "/login" };
export const store = {};
export const setError = () => {};
export const setOtpModalVisible = () => {};
export const buildDirectPurchaseForm = () => {};
export const buildPurchaseForm = () => {};
