// Keeps the phones fresh: waits for changes, fetches the lines that changed, sends forms
// without leaving the page. Everything works without it, by forms and a refresh.
"use strict";

const language = document.documentElement.lang;
const notice = document.getElementById("notice");
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

function tell(text) {
  notice.textContent = text;
}

async function refresh(list, name, version) {
  const answer = await fetch(`/parts/${encodeURIComponent(name)}?lang=${language}`);
  if (!answer.ok) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  const wanted = [...fresh.content.children];
  const kept = new Set(wanted.map((item) => item.id));
  for (const item of [...list.children]) if (!kept.has(item.id)) item.remove();
  for (const item of wanted) {
    const old = document.getElementById(item.id);
    if (!old) list.append(item);
    else if (old.outerHTML !== item.outerHTML) old.replaceWith(item);
  }
  list.dataset.version = version;
}

async function follow() {
  let version = -1;
  for (;;) {
    try {
      const answer = await fetch(`/control/changes?after=${version}&timeout=25`);
      const change = await answer.json();
      version = change.version;
      if (notice.textContent === document.body.dataset.offline) tell("");
      for (const [name, fresh] of Object.entries(change.phones)) {
        const list = document.querySelector(`[data-phone="${CSS.escape(name)}"] .lines`);
        if (list && list.dataset.version !== String(fresh)) await refresh(list, name, fresh);
      }
    } catch {
      tell(document.body.dataset.offline);
      version = -1;
      await pause(2);
    }
  }
}

async function submit(form, pressed) {
  const data = new FormData(form, pressed);
  const multipart = form.enctype === "multipart/form-data";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "x-phones-script": "1" },
      body: multipart ? data : new URLSearchParams(data),
    });
    tell(answer.ok ? "" : await answer.text());
    if (!answer.ok) return;
  } catch {
    tell(document.body.dataset.offline);
    return;
  }
  if (form.matches(".composer, .opener")) {
    form.reset();
    show(form);
  }
  const thread = form.closest(".phone").querySelector(".thread");
  thread.scrollTop = thread.scrollHeight;
}

function show(form) {
  const area = form.querySelector("textarea");
  if (!area) return;
  area.style.height = "";
  area.style.height = `${Math.min(area.scrollHeight, 132)}px`;
  const files = form.querySelector("input[type=file]")?.files ?? [];
  form.querySelector(".chosen").textContent = [...files].map((file) => file.name).join(", ");
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const copied = event.submitter?.dataset.copy;
  if (copied) navigator.clipboard?.writeText(copied);
  submit(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (!event.target.matches(".composer textarea")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest(".composer");
    if (form) show(form);
  });
}

async function count() {
  const list = document.getElementById("code-list");
  if (!list) return;
  for (;;) {
    await pause(1);
    const line = list.querySelector(".left");
    const left = Number(line?.dataset.left ?? 1) - 1;
    if (left > 0) {
      line.dataset.left = left;
      line.querySelector("span").textContent = left;
      continue;
    }
    try {
      const answer = await fetch(`/authenticator?lang=${language}`);
      if (answer.ok) list.innerHTML = await answer.text();
    } catch {
      await pause(2);
    }
  }
}

follow();
count();
