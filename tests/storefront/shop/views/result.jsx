/** What a call came to, for people and for tests: `Saved.`, or the status and the body of its error. */
export function Result({ of: result }) {
  if (result.isLoading || result.isFetching) return <p role="status">Loading …</p>;
  if (result.isSuccess) return <p role="status">Done.</p>;
  if (!result.error) return null;
  const { status, data } = result.error;
  return (
    <p role="alert">
      {status}: {JSON.stringify(data)}
    </p>
  );
}

/** A form's fields by name. */
export const readForm = (event) => {
  event.preventDefault();
  return Object.fromEntries(new FormData(event.target));
};

export function Field({ name, ...rest }) {
  return (
    <p>
      <label>
        {name} <input name={name} {...rest} />
      </label>
    </p>
  );
}
