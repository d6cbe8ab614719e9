export * from "@akinon/next/api/client";
