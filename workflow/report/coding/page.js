// The keys of the coding page, and the search of the codebook. All else works without a script.
"use strict";

const form = document.getElementById("answer");
const search = document.getElementById("search");
const buttons = { b: "back", c: "context", d: "doubts", s: "skip" };
const fields = { k: "search", m: "memo", r: "reason" };
let sent = false;  // a form is on its way: a key meant for the next page must not act on this one

function answered() {
  return form.matches(":valid");
}

function save() {
  form.requestSubmit(document.getElementById("save"));
}

function pressed(event) {
  const target = event.target;
  if (sent) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  const writes = target.matches("textarea, input[type=search]");
  if (event.key === "Escape" && writes) {
    document.getElementById("passage").focus();
    return;
  }
  if (writes) return;
  if (event.key === "Enter") {
    if (target.matches("button, a, summary")) return;
    event.preventDefault();
    save();
    return;
  }
  if (!document.getElementById("keys").checked) return;
  // A digit is one on every keyboard, also where it is typed with Shift.
  const key = event.code.startsWith("Digit") ? event.code.slice(5) : event.key.toLowerCase();
  const level = [...form.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  if (level) {
    event.preventDefault();
    level.checked = true;
    level.focus();
    if (document.getElementById("at-once").checked && answered()) save();
  } else if (key === "u" && document.getElementById("unsure")) {
    event.preventDefault();
    document.getElementById("unsure").click();
  } else if (buttons[key] && document.getElementById(buttons[key])) {
    event.preventDefault();
    document.getElementById(buttons[key]).click();
  } else if (fields[key] && document.getElementById(fields[key])) {
    event.preventDefault();
    document.getElementById(fields[key]).focus();
  }
}

function sought() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const rule of document.querySelectorAll("#rules .rule")) {
    let any = false;
    for (const part of rule.querySelectorAll("p:not(.head), li")) {
      const text = part.textContent.toLowerCase();
      const hit = words.every((word) => text.includes(word));
      part.hidden = words.length > 0 && !hit;
      if (hit && words.length) {
        any = true;
        found += 1;
        const folded = part.closest("details");
        if (folded) folded.open = true;
      }
    }
    rule.hidden = words.length > 0 && !any;
  }
  document.getElementById("found").textContent = words.length ? `${found} found` : "";
}

if (form) {
  document.addEventListener("keydown", pressed);
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
}
if (search) search.addEventListener("input", sought);
