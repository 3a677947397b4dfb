// Small helps for the pages; everything also works without them.
"use strict";

// Look at an address until nothing moves any more, then load the page again.
function lookOut(element) {
  const text = element.querySelector("[data-lookout-text]");
  let pause = 700;
  async function look() {
    try {
      const answer = await fetch(element.dataset.lookout, { headers: { Accept: "application/json" } });
      if (answer.ok && !answer.redirected) {
        const state = await answer.json();
        if (text && text.textContent !== state.text) text.textContent = state.text;
        if (!state.waiting) return window.location.reload();
      } else if (answer.redirected || answer.status === 404) {
        return window.location.reload();
      }
    } catch {
      // the network is away for a moment: look again later
    }
    pause = Math.min(pause * 1.3, 5000);
    window.setTimeout(look, pause);
  }
  window.setTimeout(look, pause);
}

// Drop a file anywhere on the upload box.
function takeDrops(box) {
  const input = box.querySelector("input[type=file]");
  const mark = (on) => (event) => { event.preventDefault(); box.classList.toggle("drop-over", on); };
  box.addEventListener("dragover", mark(true));
  box.addEventListener("dragleave", mark(false));
  box.addEventListener("drop", (event) => {
    mark(false)(event);
    if (event.dataTransfer.files.length === 1) input.files = event.dataTransfer.files;
  });
}

function tickAll(box) {
  box.addEventListener("change", () => {
    box.form.querySelectorAll("input[name=school]").forEach((one) => { one.checked = box.checked; });
  });
}

// Every so many seconds show what has changed on this page, until its reader stops it or looks elsewhere.
function renew(box) {
  const pause = box.querySelector("[data-renew-pause]");
  const stopped = () => pause.getAttribute("aria-pressed") === "true";
  pause.hidden = false;
  pause.addEventListener("click", () => pause.setAttribute("aria-pressed", String(!stopped())));
  async function look() {
    try {
      if (!stopped() && !document.hidden) {
        const answer = await fetch(window.location.href);
        if (answer.redirected) return window.location.reload();
        if (answer.ok) takeParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch {
      // the network is away for a moment: look again later
    }
    window.setTimeout(look, 1000 * box.dataset.renew);
  }
  window.setTimeout(look, 1000 * box.dataset.renew);
}

function takeParts(page) {
  const [shown, fresh] = [document, page].map((one) => [...one.querySelectorAll("[data-renewed]")]);
  if (shown.map((part) => part.id).join() !== fresh.map((part) => part.id).join()) return window.location.reload();
  shown.forEach((part, n) => {
    if (part.innerHTML !== fresh[n].innerHTML) part.innerHTML = fresh[n].innerHTML;
  });
}

document.querySelectorAll("[data-lookout]").forEach(lookOut);
document.querySelectorAll("[data-renew]").forEach(renew);
document.querySelectorAll("[data-drop]").forEach(takeDrops);
document.querySelectorAll("[data-tick-all]").forEach(tickAll);
document.querySelectorAll("[data-submit-on-change] select").forEach((select) => {
  select.form.querySelector("button").hidden = true;
  select.addEventListener("change", () => select.form.submit());
});
// A button disabled on sending must work again when the browser brings the page back from its cache.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
