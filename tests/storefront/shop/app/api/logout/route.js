export * from "@akinon/next/api/logout";
