export { CredentialProvider as default } from "./next";
