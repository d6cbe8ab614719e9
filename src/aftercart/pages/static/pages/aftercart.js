// Everything works without this file. It keeps an impatient second click from being sent, goes back without asking to
// send again, steps numbers up and down, prints, and keeps a page up to date while something is still to come.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-once")) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  const button = event.submitter;
  // After this turn, so that the button still counts as the one that was pressed.
  setTimeout(() => { if (button) button.disabled = true; });
});

// A page that answered a form is remembered as its address alone: reloading it, or coming back to it, sends nothing and
// asks nothing.
if (document.querySelector("[data-posted]")) history.replaceState(null, "", location.href);

// The browser may bring a page back as it was left: then it can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.removeAttribute("aria-busy");
    for (const field of form.elements) if (field.matches("button:not([type])")) field.disabled = false;
  }
});

// Steppers: a number between two buttons.
function limit(field, value) {
  return Math.min(Math.max(value, Number(field.min) || 1), Number(field.max) || value);
}
function mark(stepper) {
  const field = stepper.querySelector("input");
  for (const button of stepper.querySelectorAll("[data-step]")) {
    const value = Number(field.value) || 0;
    button.disabled = limit(field, value + Number(button.dataset.step)) === value;
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (!button) return;
  const stepper = button.closest("[data-stepper]");
  const field = stepper.querySelector("input");
  field.value = limit(field, (Number(field.value) || 0) + Number(button.dataset.step));
  mark(stepper);
});
document.addEventListener("input", (event) => {
  const stepper = event.target.closest("[data-stepper]");
  if (stepper) mark(stepper);
});
for (const stepper of document.querySelectorAll("[data-stepper]")) mark(stepper);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A page with `data-live` asks for itself, naming the version that it shows: 204 says that it still is the one. It
// asks less and less often, not at all while nobody looks, and no more once nothing is to come.
const SLOWEST = 60;
let live = document.querySelector("[data-live]");
let wait = live ? Number(live.dataset.live) : 0;
let timer = 0;

function show(fresh) {
  for (const region of live.querySelectorAll("[data-region]")) {
    const news = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    // What somebody is in the middle of is left alone.
    if (!news || region.contains(document.activeElement) || region.innerHTML === news.innerHTML) continue;
    region.className = news.className;
    region.replaceChildren(...news.childNodes);
  }
}

async function ask() {
  const url = new URL(location.href);
  url.searchParams.set("version", live.dataset.version);
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, redirect: "error" });
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      show(main);
      const next = main.querySelector("[data-live]");
      live.dataset.version = next ? next.dataset.version : "";
      if (!next) live = null;
      else wait = Number(next.dataset.live);
    } else if (answer.status !== 204 && answer.status < 500) {
      live = null; // logged out, or gone
    }
  } catch {
    // Offline, or the server is: the next try may do better.
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  if (!live || document.hidden) return;
  timer = setTimeout(ask, wait * 1000);
  wait = Math.min(wait * 1.5, Math.max(SLOWEST, wait));
}

document.addEventListener("visibilitychange", plan);
plan();

// A place is chosen: ask at once for the places inside it, as the button beside it does.
document.addEventListener("change", (event) => {
  const button = event.target.form && event.target.form.querySelector("[data-places]");
  if (button && /(country|city|township)$/.test(event.target.name)) event.target.form.requestSubmit(button);
});
