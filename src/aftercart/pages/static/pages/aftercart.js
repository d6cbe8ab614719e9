// Everything works without this file. It keeps an impatient second click, and what is sent offline, from being sent, goes
// back without asking to send again, steps numbers up and down, prints, copies, makes photos small, fills lists of places,
// and keeps a page up to date while something is still to come.
"use strict";

// Offline, what is in sight stays, and a line says of when it is. No service worker keeps pages beyond that: they are one
// person's, and who logs out on a shared device must leave nothing behind.
const line = document.querySelector(".offline");
let seen = new Date();
function say(what) {
  const time = seen.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  line.textContent = what ? line.dataset[what].replace("{time}", time) : "";
}
addEventListener("offline", () => say("offline"));
addEventListener("online", () => say(""));
if (!navigator.onLine) say("offline");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!navigator.onLine) {
    event.preventDefault(); // the browser would show an error in place of what was typed
    say("unsent");
    return;
  }
  if (!form.hasAttribute("data-once")) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  const button = event.submitter;
  // After this turn, so that the button still counts as the one that was pressed.
  setTimeout(() => {
    if (!button) return;
    button.disabled = true;
    if (!button.matches(".link")) {
      button.dataset.label = button.textContent;
      button.textContent = document.body.dataset.sending;
    }
  });
});

// A page that answered a form is remembered as its address alone: reloading it, or coming back to it, sends nothing and
// asks nothing.
if (document.querySelector("[data-posted]")) history.replaceState(null, "", location.href);

// The browser may bring a page back as it was left: then it can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.removeAttribute("aria-busy");
    for (const field of form.elements) {
      if (!field.matches("button:not([type])")) continue;
      field.disabled = false;
      if (field.dataset.label) field.textContent = field.dataset.label;
    }
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

// Photos are made small before they are sent: seconds instead of a minute, as JPEG whatever the phone has made of them,
// and without the place where they were taken. What cannot be made small is sent as it is.
const LONGEST_SIDE = 1600;
async function shrink(file) {
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    const small = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });
    return small ? new File([small], file.name, { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}
document.addEventListener("change", async (event) => {
  const field = event.target;
  if (!field.matches("[data-photos]")) return;
  const chosen = [...field.files];
  const small = new DataTransfer();
  field.ariaBusy = "true";
  for (const file of chosen) small.items.add(await shrink(file));
  field.ariaBusy = null;
  if (chosen.every((file, place) => file === field.files[place])) field.files = small.files;
});

// Buttons that want this file: to print, and to copy a code.
function offer(root) {
  for (const button of root.querySelectorAll("[data-print], [data-copy]")) button.hidden = false;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-print], [data-copy]");
  if (!button) return;
  if (!button.dataset.copy) {
    window.print();
    return;
  }
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.done;
});
offer(document);

// A page with `data-live` asks for itself, naming the version that it shows: 204 says that it still is the one. It
// asks less and less often, not at all while nobody looks, and no more once nothing is to come.
const SLOWEST = 60;
let live = document.querySelector("[data-live]");
let wait = live ? Number(live.dataset.live) : 0;
let timer = 0;

// All that is new comes at once. While somebody is typing, nothing does.
function show(fresh) {
  const active = document.activeElement;
  if (live.contains(active) && active.matches("input, select, textarea")) return false;
  if ([...live.querySelectorAll("[data-photos]")].some((field) => field.files.length)) return false;
  offer(fresh);
  const changes = [];
  for (const region of live.querySelectorAll("[data-region]")) {
    const news = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (!news) continue;
    const folded = [...region.querySelectorAll("details")].map((part) => part.open);
    news.querySelectorAll("details").forEach((part, place) => { part.open = folded[place] ?? part.open; });
    if (region.innerHTML !== news.innerHTML) changes.push([region, news]);
  }
  const link = live.contains(active) && active.getAttribute("href");
  for (const [region, news] of changes) region.replaceChildren(...news.childNodes);
  if (link) live.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
  return true;
}

async function ask() {
  const url = new URL(location.href);
  url.searchParams.set("version", live.dataset.version);
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.status < 500) {
      seen = new Date();
      say("");
    }
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      const next = main.querySelector("[data-live]");
      if (show(main)) {
        live.dataset.version = next ? next.dataset.version : "";
        document.title = page.title;
        if (!next) live = null;
        else wait = Number(next.dataset.live);
      }
    } else if (answer.status !== 204 && answer.status < 500) {
      live = null; // logged out, or gone
    }
  } catch {
    say("offline"); // the next try may do better
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
addEventListener("online", () => {
  clearTimeout(timer);
  if (live && !document.hidden) ask();
});
plan();

// A place is chosen: the places inside it come into their lists, and everything else stays as it is. What goes wrong
// leaves the way that works without this file: the button that loads the page anew.
let asked = 0;
document.addEventListener("change", async (event) => {
  const form = event.target.form;
  const button = form && form.querySelector("[data-places]");
  if (!button || !/(country|city|township)$/.test(event.target.name)) return;
  const turn = ++asked;
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked) return;
    if (!page.getElementById(event.target.id)) throw answer; // an error, or the log-in: not this form
    for (const list of form.querySelectorAll("select")) {
      const fresh = page.getElementById(list.id);
      if (fresh && /(city|township|district)$/.test(list.name) && list !== event.target) {
        list.innerHTML = fresh.innerHTML; // moved one by one, options would leave another one chosen
      }
    }
  } catch {
    if (turn === asked) form.requestSubmit(button);
  }
});
