// Sends forms and, when there is no place for one, waits with the person and sends it again: the same form with the same
// file, and with the ticket that an act was given when it first came. Without this the browser sends forms by itself.
"use strict";
(() => {
  const LONGEST_PAUSE = 15, LONGEST_ANSWER = 90, GROWTH = 1.4;
  const FULL = [502, 503, 504];
  const tickets = new WeakMap();  // form -> its first ticket

  // What the form says now: as a browser would send it. Kept until it is through.
  function contents(form, submitter) {
    const data = new FormData(form);
    if (submitter && submitter.name) data.append(submitter.name, submitter.value);
    if (data.has("ticket")) tickets.set(form, data.get("ticket"));
    const files = [...data.values()].filter((value) => value instanceof File);
    return { data, files, plain: form.enctype !== "multipart/form-data" };
  }

  function bodyOf({ data, plain }, ticket) {
    if (ticket && !data.has("ticket")) data.append("ticket", ticket);
    return plain ? new URLSearchParams(data) : data;
  }

  // One attempt, given up when `quit` is. Returns what to wait for ({ lost, seconds, queue }), or nothing when the page
  // goes elsewhere.
  async function attempt(form, content, quit) {
    const call = new AbortController(), end = () => call.abort();
    const timer = content.files.length ? 0 : window.setTimeout(end, LONGEST_ANSWER * 1000);
    if (quit) quit.addEventListener("abort", end);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: bodyOf(content, tickets.get(form)),
        headers: { "X-Tabian-Script": "1" },
        signal: call.signal,
      });
      if (FULL.includes(answer.status)) return heard(form, answer);
      await goOn(answer);
      return null;
    } catch {
      return { lost: true, seconds: 3, queue: 0 };
    } finally {
      window.clearTimeout(timer);
    }
  }

  function heard(form, answer) {
    const ticket = answer.headers.get("X-Tabian-Ticket");
    if (ticket && !tickets.has(form)) tickets.set(form, ticket);
    const number = (name) => Number(answer.headers.get(name)) || 0;
    return { lost: answer.status !== 503, seconds: number("Retry-After") || 3, queue: number("X-Tabian-Queue") };
  }

  // To where the answer leads; an answer that is itself a page is shown.
  async function goOn(answer) {
    const next = answer.headers.get("X-Tabian-Next");
    if (next === null) {
      const page = await answer.text();
      leave();
      document.open();
      document.write(page);
      return document.close();
    }
    leave();
    const to = new URL(next, window.location.href);
    const same = to.pathname + to.search === window.location.pathname + window.location.search;
    window.location.assign(to);
    if (same && to.hash) window.location.reload();
  }

  const stay = (event) => event.preventDefault();
  const leave = () => window.removeEventListener("beforeunload", stay);

  // Longer each time and never at the same moment as others.
  function pauseAfter(tries, least) {
    return Math.min(least * GROWTH ** tries, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
  }

  // Counts down in the panel; ends early when the person or the network says so, or on `quit`.
  function countDown(panel, seconds, quit) {
    const bar = panel.querySelector("[data-progress]"), text = panel.querySelector("[data-countdown]");
    const began = Date.now();
    return new Promise((done) => {
      const end = () => { window.clearInterval(clock); window.removeEventListener("online", end); done(); };
      const tick = () => {
        const past = (Date.now() - began) / 1000;
        bar.value = Math.min(past / seconds, 1);
        text.textContent = text.dataset.text.replaceAll("{s}", Math.max(Math.ceil(seconds - past), 0));
        if (past >= seconds) end();
      };
      const clock = window.setInterval(tick, 100);
      window.addEventListener("online", end);
      if (quit) quit.addEventListener("abort", end);
      panel.querySelector("[data-now]").onclick = (event) => { event.preventDefault(); end(); };
      tick();
    });
  }

  function tell(panel, waits, tries, ticket) {
    const status = panel.querySelector("[data-status]"), crowd = panel.querySelector("[data-queue]");
    status.textContent = (waits.lost ? status.dataset.lost : status.dataset.waits).replace("{n}", tries);
    crowd.hidden = !waits.queue;
    crowd.querySelector("[data-queue-number]").textContent = waits.queue.toLocaleString();
    panel.querySelector("[data-with-script]").hidden = false;
    if (!ticket) return;
    const came = new Date(Number(ticket.split(".")[0]) + Number(panel.dataset.shift));
    const shown = came.toLocaleTimeString("en-GB", { timeZone: "Asia/Bangkok" });
    const thai = document.documentElement.lang === "th";
    panel.querySelector("[data-arrived]").textContent = thai ? `${shown.replaceAll(":", ".")} น.` : shown;
    panel.querySelector("[data-kept]").hidden = false;
  }

  async function isReadable(file) {
    try {
      await file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  // Puts the panel in the page's place. Returns it and how to take it away again.
  function cover() {
    const main = document.querySelector("main"), page = [...main.childNodes], title = document.title;
    const panel = document.getElementById("waiting").content.firstElementChild.cloneNode(true);
    const place = window.scrollY;
    main.replaceChildren(panel);
    window.addEventListener("beforeunload", stay);
    window.scrollTo(0, 0);
    const heading = panel.querySelector("h1");
    document.title = heading.textContent;
    heading.focus();
    return { panel, uncover() {
      leave();
      main.replaceChildren(...page);
      document.title = title;
      window.scrollTo(0, place);
    } };
  }

  // Until the form is through or the person stops waiting. `shown`: a panel that is in the page already.
  async function persist(form, content, waits, shown) {
    const { panel, uncover } = shown || cover(), quit = stopper(panel).signal;
    for (let tries = 1; waits; tries += 1) {
      if (quit.aborted) { uncover(); return release(form); }
      const gone = waits.lost && !(await Promise.all(content.files.map(isReadable))).every(Boolean);
      if (gone) return giveUp(form, panel, uncover);
      tell(panel, waits, tries, tickets.get(form));
      await countDown(panel, pauseAfter(tries - 1, waits.seconds), quit);
      if (quit.aborted) continue;
      panel.querySelector("[data-status]").textContent = panel.querySelector("[data-status]").dataset.tries;
      panel.querySelector("[data-countdown]").textContent = "";
      waits = await attempt(form, content, quit);
    }
  }

  // The person may stop waiting at any moment, also while an attempt is under way.
  function stopper(panel) {
    const quit = new AbortController(), button = panel.querySelector("[data-stop]");
    if (button) button.onclick = () => quit.abort();
    return quit;
  }

  // The chosen file is no longer what was chosen: only the person can help.
  function giveUp(form, panel, uncover) {
    const said = panel.querySelector("[data-file-gone]");
    uncover();
    release(form);
    form.reset();
    said.hidden = false;
    said.setAttribute("role", "alert");
    form.append(said);
  }

  // A form is sent once: a second click while the first is under way does nothing.
  function hold(form) {
    form.dataset.sent = "yes";
    const button = form.querySelector("button:not([type=button])");
    button.disabled = true;
    button.dataset.says = button.textContent;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  }

  function release(form) {
    delete form.dataset.sent;
    const button = form.querySelector("button:not([type=button])");
    button.disabled = false;
    button.textContent = button.dataset.says;
  }

  function take(form) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (form.dataset.sent) return;
      const content = contents(form, event.submitter);
      hold(form);
      const waits = await attempt(form, content);
      if (waits) await persist(form, content, waits);
    });
  }

  // A page that came as a waiting page: its form goes on from here, or the page is loaded again.
  async function goOnFromHere(panel) {
    const form = panel.querySelector("form");
    const waits = { lost: false, seconds: Number(panel.dataset.retry), queue: 0 };
    if (form) return persist(form, contents(form), waits, { panel, uncover() {} });
    if (!panel.querySelector("[data-now]")) return;
    const crowd = panel.querySelector("[data-queue-number]").textContent;
    tell(panel, { ...waits, queue: Number(crowd.replace(/\D/g, "")) }, 1, "");
    await countDown(panel, pauseAfter(0, waits.seconds));
    window.location.reload();
  }

  document.querySelectorAll("form[data-once]").forEach(take);
  document.querySelectorAll("main [data-waiting]").forEach(goOnFromHere);
})();
