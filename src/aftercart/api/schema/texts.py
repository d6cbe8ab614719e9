"""What holds for every operation, in words: the introduction of the document and its tags."""

from typing import Final

from aftercart.api.schema.errors import INPUT_CODES, OTHER_CODES
from aftercart.lib.documents import list_codes

ORDERS: Final = "Customers: orders"
ADDRESSES: Final = "Customers: address book"
CANCELLATIONS: Final = "Customers: cancellations and returns"
POINTS: Final = "Customers: points"
SESSION: Final = "Storefronts: session"
INTAKE: Final = "Shops: order intake"
HEALTH: Final = "Operators: health"
OMS: Final = "Omnitron: events"

TAGS: Final = [
    {"name": CANCELLATIONS, "description": "Cancel what has not been shipped, return what has."},
    {"name": ORDERS, "description": "See orders, and send one to another address."},
    {"name": POINTS, "description": "How many loyalty points there are, and how they came and went."},
    {"name": ADDRESSES, "description": "The addresses that a customer keeps, and the places in them."},
    {"name": SESSION, "description": "Log in and out, tell who is logged in, get a token for writes."},
    {"name": INTAKE, "description": "Send orders, where they are not pulled from Omnitron: under a token."},
    {"name": HEALTH, "description": "For supervisors and load balancers: no session, no cookies."},
    {"name": OMS, "description": "What the back office calls."},
]

DESCRIPTION: Final = f"""\
Aftercart is the order self-service of a shop's customers: they see their orders, cancel or return items and
change the address of a delivery. What happens to the goods is decided by Omnitron, the back office; Aftercart
takes the wish, tells Omnitron, and never loses it in between.

## Authentication

`log_in` answers with three cookies: `sessionid` and `osessionid`, which carry the same session key, and
`csrftoken`. A request brings either session cookie or both; two that differ are nobody's session. Who is not
logged in gets 401.

Every write of somebody who is logged in (POST, PUT, PATCH, DELETE) needs the header `X-CSRFToken` with the
value of the cookie `csrftoken`; a page has it in `<meta name="csrf-token">`, and `get_csrf_token` gives one.
Missing or wrong: 403 with the code `csrf_failed`. Over HTTPS a write also needs a `Referer` or `Origin` of ours.

An order that is somebody else's and one that does not exist are the same 404, in body and headers.

## Formats

Bodies are JSON (`application/json`), sent and received. Some addresses are shared with the customer's pages:
there the answer is a page unless JSON is asked for by `?format=json`, by `Accept: application/json`, or by a
JSON body. Another value of `format` is 404. A trailing slash is part of every path.

## Values

- **Money** and rates are strings with two decimals: `"549.90"`. A currency with more keeps its third and fourth.
- **Dates** are ISO 8601 in UTC, with microseconds and `Z`: `"2026-03-02T09:30:00.000000Z"`.
- **Enumerations** in documents are objects: `{{"value": "400", "label": "Approved"}}`. Labels follow
  `Accept-Language` (`en`, `tr`); in bodies, and in reasons, the bare value stands alone. A status is a numeric string.
- **Ids** are integers; in bodies a string of digits is taken as well.
- **Fields** that are not described here are ignored in bodies, and do not occur in answers. Those called
  "passed on" hold what the shop has sent with the order, in whatever form it had.
- **Lists** are pages: `count`, `next`, `previous`, `results`; `page` counts from 1, `limit` (also called
  `page_size`) is 20 unless told, and 100 at most.

## Errors

Every error is JSON with a stable `code`, and sentences in the caller's language:

- **input** that makes no sense, 400: `{{"<field>": ["…"], "code": "…"}}`, every complaint at once;
- **rules** that refuse, 400: `{{"non_field_errors": ["…"], "code": "…"}}`; refused cancellations also carry
  `items`, which tells what is said of which item;
- **the rest**: `{{"detail": "…", "code": "…"}}`.

After 400, 401, 403, 404, 409, 415, 422, 429 and 503 nothing has been changed and nothing was sent.

Codes about fields:

{list_codes(INPUT_CODES)}

Codes outside of the operations:

{list_codes(OTHER_CODES)}

## Repeats

Repeating a write is harmless. With an `Idempotency-Key` (any string of at most 255 characters, remembered for 24
hours for each customer) the same key and body get the first answer again, marked with the header
`Idempotency-Replayed: true`; the same key with another body is 422, and 409, with `Retry-After`, that the first write
is still running after its repeat has waited for some seconds. Without a key, the same body (the same JSON, however it
is formatted) to the same address within ten minutes is the same submission, decided or not: its repeat gets the first
answer, so marked. Whoever wants a further unit sends another body or a key. A refusal is not remembered: its repeat is
judged anew.
"""
