// Everything works without this file; it only keeps an impatient second click from being sent.
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

// The browser may bring a page back as it was left: then it can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}


// A place is chosen: ask at once for the places inside it, as the button beside it does.
document.addEventListener("change", (event) => {
  const button = event.target.form && event.target.form.querySelector("[data-places]");
  if (button && /(country|city|township)$/.test(event.target.name)) event.target.form.requestSubmit(button);
});
