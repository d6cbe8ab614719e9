# ruff: noqa: E501  # HTML lines are not code
"""The page's HTML: one file, no request leaves it, and no script is needed. Filled by `sandbox.pages`."""

from string import Template
from typing import Final

PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The Omnitron sandbox</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --accent: #0b6e4f; --bad: #b3261e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; }
h1 { margin: .5rem 0 0; font-size: 1.7rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.2rem; }
p { margin: .4rem 0; max-width: 46rem; } .quiet { color: var(--quiet); }
nav a { margin-right: 1rem; } a { color: var(--accent); }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; } pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: .5rem; }
form { display: inline-flex; flex-wrap: wrap; gap: .4rem .6rem; align-items: end; }
label { display: inline-flex; flex-direction: column; font-size: .8rem; color: var(--quiet); }
input, select, button { font: inherit; padding: .3rem .55rem; border: 1px solid var(--line); border-radius: .4rem; }
input { width: 6.5rem; } input.wide { width: 12rem; }
button { cursor: pointer; } button.go { background: var(--accent); color: #fff; border-color: var(--accent); }
button.no { color: var(--bad); border-color: var(--bad); background: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.message { border-left: 4px solid var(--accent); padding: .4rem .8rem; overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0 0 0 1.2rem; }
</style>
</head>
<body>
<header>
<h1>The Omnitron sandbox</h1>
<p>This plays the shop's back office while you develop, demonstrate or test. It takes cancellations and keeps them
waiting until somebody decides: here that is you. Nothing on this page exists in the real one.</p>
<nav aria-label="On this page"><a href="#pending">Waiting for you</a><a href="#calls">Calls</a><a href="#faults">Faults</a><a href="#controls">Controls</a></nav>
</header>
<main>
$message
<p class="quiet">$orders orders · $call_count calls received · its clock says <time>$now</time> UTC</p>

<h2 id="pending">Waiting for you</h2>
$pending
<form method="post" action="/sandbox/decide/">
<input type="hidden" name="auto" value="1">
<label>Decide by itself after (seconds; empty: never)<input name="after_seconds" inputmode="decimal" value="$after"></label>
<label>Decision<select name="decision"><option>approve</option><option$reject_selected>reject</option></select></label>
<button>Keep</button>
</form>

<h2 id="calls">The last calls</h2>
$calls
<p><a href="/sandbox/calls/">All calls, as JSON</a></p>

<h2 id="faults">Faults</h2>
<p>A fault makes the next calls go wrong in the way you choose, as networks and gateways do.</p>
$faults
<form method="post" action="/sandbox/faults/">
<label>Call<select name="call">$call_options</select></label>
<label>What goes wrong<select name="kind">$kind_options</select></label>
<label>How often (-1: always)<input name="times" inputmode="numeric" value="1"></label>
<label>After skipping<input name="skip" inputmode="numeric" value="0"></label>
<label>Seconds<input name="seconds" inputmode="decimal" value="2"></label>
<label>Status<input name="status" inputmode="numeric" value="502"></label>
<button class="go">Add fault</button>
</form>
<form method="post" action="/sandbox/faults/"><input type="hidden" name="delete" value="1"><button class="no">Clear all</button></form>
<dl>$kinds</dl>

<h2 id="controls">The controls</h2>
<p>Everything above is also a plain call, without a log-in. Bodies are JSON.</p>
<div class="table"><table>
<tr><th>Call</th><th>What it does</th></tr>
<tr><td><code>POST /sandbox/orders/</code></td><td>loads orders: <code>{"channel_id": 1, "orders": [document, …], "split_units": false, "replace": false}</code>;
a document may carry <code>"sandbox": {"no_purchase_transaction": true, "nothing_refundable": true, "pay_on_delivery": true}</code></td></tr>
<tr><td><code><a href="/sandbox/orders/">GET /sandbox/orders/</a></code></td><td>the orders with their items, as the API shows them; <code>?number=</code></td></tr>
<tr><td><code>POST /sandbox/refunds/</code></td><td>sets what an order says that it has given back: <code>{"order": number, "refund_amount"?, "discount_refund_amount"?, "shipping_refund_amount"?, "items"?: {shop's id: amount}}</code></td></tr>
<tr><td><code>POST /sandbox/status/</code></td><td>prepares, ships or delivers: <code>{"order": number, "status": "500"}</code> or <code>{"item": pk, …}</code></td></tr>
<tr><td><code>POST /sandbox/decide/</code></td><td><code>{"decision": "approve" | "reject" | "confirm", "reason": "…"}</code> with one of <code>"order"</code> (number),
<code>"item"</code> (pk here), <code>"remote_item"</code> (the shop's id), <code>"request"</code> (pk) or <code>"all": true</code>;
or <code>{"auto": {"after_seconds": 5, "decision": "approve"}}</code>, <code>{"auto": null}</code></td></tr>
<tr><td><code><a href="/sandbox/decide/">GET /sandbox/decide/</a></code></td><td>what waits for a decision</td></tr>
<tr><td><code><a href="/sandbox/ledger/">GET /sandbox/ledger/</a></code></td><td>how often each unit was really cancelled, and what it gave back; <code>?order=number</code></td></tr>
<tr><td><code><a href="/sandbox/calls/">GET /sandbox/calls/</a></code></td><td>everything received, in order; <code>?call=</code>, <code>?order=</code>, <code>?after=n</code>, <code>?limit=</code></td></tr>
<tr><td><code><a href="/sandbox/faults/">GET</a> | POST | DELETE /sandbox/faults/</code></td><td><code>{"call": name or "*", "kind": …, "times": 1, "skip": 0, "seconds": 1, "status": 502,
"body": null, "content_type": null, "headers": {}, "after": false, "probability": 1, "seed": 0}</code></td></tr>
<tr><td><code>POST /sandbox/clock/</code></td><td>shifts its clock from real time: <code>{"offset_seconds": 3600}</code></td></tr>
<tr><td><code>POST /sandbox/network/</code></td><td>moves it away: <code>{"call_seconds": 0.05, "connection_seconds": 0.05}</code>;
 <code>GET</code> also counts the connections</td></tr>
<tr><td><code>POST /sandbox/expire_tokens/</code></td><td>every token is expired now: the next call gets a 401</td></tr>
<tr><td><code>POST /sandbox/reset/</code></td><td>forgets everything but the tokens; <code>{"keep_orders": true}</code> keeps the orders as they were loaded</td></tr>
<tr><td><code><a href="/sandbox/health/">GET /sandbox/health/</a></code></td><td>is it well?</td></tr>
</table></div>
<p>For instance, a cancellation that is applied but whose answer gets lost:</p>
<pre>curl -X POST $base/sandbox/faults/ -d '{"call": "order_cancel", "kind": "drop_after"}'</pre>
</main>
</body>
</html>
""")
