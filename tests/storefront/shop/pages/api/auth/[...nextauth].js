export { default } from "@akinon/next/api/auth";
