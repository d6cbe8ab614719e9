import { useState } from "react";
import {
  useAddAddressMutation,
  useEditAddressMutation,
  useGetAddressesQuery,
  useGetCitiesQuery,
  useGetCountriesQuery,
  useGetDistrictsQuery,
  useGetTownshipsQuery,
  useRemoveAddressMutation,
  useSetDefaultAddressMutation,
} from "@akinon/next/data/client/address";
import { Field, readForm, Result } from "./result";

function Choice({ name, rows, onChange }) {
  return (
    <p>
      <label>
        {name}{" "}
        <select name={name} onChange={(event) => onChange?.(event.target.value)} defaultValue="">
          <option value="" />
          {rows?.results.map((row) => (
            <option key={row.pk} value={row.pk}>
              {row.name}
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}

function Place() {
  const [country, setCountry] = useState("");
  const [city, setCity] = useState("");
  const [township, setTownship] = useState("");
  const { data: countries } = useGetCountriesQuery();
  const { data: cities } = useGetCitiesQuery(country, { skip: !country });
  const { data: townships } = useGetTownshipsQuery(city, { skip: !city });
  const { data: districts } = useGetDistrictsQuery(township, { skip: !township });
  return (
    <>
      <Choice name="country" rows={countries} onChange={setCountry} />
      <Choice name="city" rows={cities} onChange={setCity} />
      <Choice name="township" rows={townships} onChange={setTownship} />
      <Choice name="district" rows={districts} />
    </>
  );
}

function Row({ address }) {
  const [edit, edited] = useEditAddressMutation();
  const [remove, removed] = useRemoveAddressMutation();
  const [prefer, preferred] = useSetDefaultAddressMutation();
  const move = () => edit({ pk: address.pk, is_corporate: "false", line: `${address.line}, Flat 2` });
  return (
    <li className="address">
      <b>{address.title}</b>: {address.line}, {address.township.name}, {address.city.name} {address.primary && "(first)"}{" "}
      <button onClick={move}>Edit</button>
      <button onClick={() => prefer({ pk: address.pk, primary: true })}>Make first</button>
      <button onClick={() => remove(address.pk)}>Remove</button>
      <Result of={edited} />
      <Result of={preferred} />
      <Result of={removed} />
    </li>
  );
}

export function Address() {
  const addresses = useGetAddressesQuery();
  const [add, added] = useAddAddressMutation();
  const send = (event) => add({ type: "", is_corporate: "false", country_code: "+90", ...readForm(event) });
  return (
    <>
      <h1>Addresses</h1>
      <ul>{addresses.data?.results.map((address) => <Row key={address.pk} address={address} />)}</ul>
      <form onSubmit={send}>
        {["title", "first_name", "last_name", "phone_number", "line", "postcode"].map((name) => (
          <Field key={name} name={name} />
        ))}
        <Place />
        <button>Add</button>
        <Result of={added} />
      </form>
    </>
  );
}
