import Shop from "../../../../views/shop";

export default function Layout({ params, children }) {
  return (
    <html lang={params.locale}>
      <body style={{ font: "1rem/1.5 sans-serif", margin: "2rem auto", maxWidth: "48rem" }}>
        <Shop>{children}</Shop>
      </body>
    </html>
  );
}
