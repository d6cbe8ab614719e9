import View from "../../../../../views/view";

export const dynamic = "force-dynamic";

export default function Page({ params }) {
  return <View path={(params.path ?? []).map(decodeURIComponent)} />;
}
