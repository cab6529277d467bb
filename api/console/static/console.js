// What htmx does not do: keys, moving cards, what changes elsewhere, calls that ring.
const htmx = window.htmx;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

function say(text) {
  $("#said").textContent = text;
}

// Refusals have a sentence, which stays until the next one.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.target = $("#said");
    event.detail.swapOverride = "innerHTML";
  }
});
document.addEventListener("htmx:sendError", () => say($("#state").dataset.away));

// ---- The board ----

const board = $(".board");
const writable = board?.hasAttribute("data-writable");
const columns = board ? $$("section", board) : [];
const list = (stage) => $("ol", columns.find((column) => column.dataset.stage === stage));
const moving = new Map(); // cards whose move is not confirmed yet, with how many moves

async function move(tile, stage, undoing = false) {
  const { id, stage: before } = tile.dataset;
  if (!stage || stage === before || !writable) return;
  const next = tile.nextSibling;
  place(tile, stage);
  moving.set(id, (moving.get(id) || 0) + 1);
  try {
    const answer = await fetch(`/console/deals/${id}/stage`, { method: "POST", body: new URLSearchParams({ stage }), headers: { "hx-request": "true" } });
    if (!answer.ok) {
      say(new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim());
      place(tile, before, next);
    } else if (undoing) say("");
    else offerUndo(id, before);
  } catch {
    say($("#state").dataset.away);
    place(tile, before, next);
  } finally {
    const left = moving.get(id) - 1;
    left ? moving.set(id, left) : moving.delete(id);
    changed(id);
  }
}

function place(tile, stage, before = null) {
  const focused = document.activeElement === $("a", tile);
  const target = list(stage);
  tile.dataset.stage = stage;
  target.insertBefore(tile, before && before.parentNode === target ? before : target.firstChild);
  if (focused) $("a", tile).focus();
}

function offerUndo(id, before) {
  const button = document.createElement("button");
  button.textContent = $("#said").dataset.undo;
  button.onclick = () => move(document.getElementById(`deal-${id}`), before, true);
  $("#said").replaceChildren($("#said").dataset.moved, " ", button);
}

function neighbour(stage, step) {
  return columns[columns.findIndex((column) => column.dataset.stage === stage) + step]?.dataset.stage;
}

board?.addEventListener("keydown", (event) => {
  const tile = event.target.closest?.(".tile");
  if (!tile || event.ctrlKey || event.altKey || event.metaKey) return;
  const { stage } = tile.dataset;
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (sideways && event.shiftKey) move(tile, neighbour(stage, sideways));
  else if (sideways) for (let to = neighbour(stage, sideways); to; to = neighbour(to, sideways)) {
    const link = $(".tile a", list(to));
    if (link) { link.focus(); break; }
  }
  else if (event.key === "ArrowDown") tile.nextElementSibling?.querySelector("a, button")?.focus();
  else if (event.key === "ArrowUp") tile.previousElementSibling?.querySelector("a")?.focus();
  else return;
  event.preventDefault();
});
board?.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", event.target.closest(".tile").dataset.id));
board?.addEventListener("dragover", (event) => { if (event.target.closest("section")) event.preventDefault(); });
board?.addEventListener("drop", (event) => {
  event.preventDefault();
  const tile = document.getElementById(`deal-${event.dataTransfer.getData("text/plain")}`);
  const column = event.target.closest("section");
  if (tile && column) move(tile, column.dataset.stage);
});

// ---- What changes elsewhere ----

const AT_MOST = 60; // cards of a column
const AT_ONCE = 20; // cards of one request
const waiting = new Set();
let timer = 0;

function changed(id) {
  waiting.add(id);
  timer ||= setTimeout(refresh, 50);
}

async function refresh() {
  const ids = [...waiting].slice(0, AT_ONCE);
  ids.forEach((id) => waiting.delete(id));
  const address = `/console/tiles?${new URLSearchParams(ids.map((id) => ["id", id]))}`;
  const answer = await fetch(address, { headers: { "hx-request": "true" } }).catch(() => null);
  if (!answer) ids.forEach((id) => waiting.add(id)); // no connection: it is asked again
  else if (answer.ok) {
    const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const total of $$(".total", parts)) $(`#${CSS.escape(total.id)}`)?.replaceWith(document.adoptNode(total));
    for (const id of ids) if (!moving.has(id)) showTile(id, parts.getElementById(`deal-${id}`));
  }
  timer = waiting.size ? setTimeout(refresh, answer ? 50 : 1_000) : 0;
}

function showTile(id, shown) {
  const known = document.getElementById(`deal-${id}`);
  if (!shown) return known?.remove();
  const tile = document.adoptNode(shown);
  const wanted = !board.dataset.owner || board.dataset.owner === tile.dataset.owner;
  const target = wanted && columns.some((column) => column.dataset.stage === tile.dataset.stage) && list(tile.dataset.stage);
  if (!target) return known?.remove();
  if (known && known.dataset.stage === tile.dataset.stage) {
    const focused = document.activeElement === $("a", known);
    known.replaceWith(tile);
    if (focused) $("a", tile).focus();
  } else {
    known?.remove();
    target.prepend(tile);
    $$(".tile", target).slice(AT_MOST).forEach((one) => one.remove());
  }
}

// A browser opens six connections to a server at most, for all its tabs: one tab follows a feed for the others too.
const KEPT = 10_000; // milliseconds: what a tab gets that comes later

function follow(feed, heard) {
  const channel = new BroadcastChannel(`potik-${feed}`);
  const state = (isHere) => { $("#state").textContent = isHere ? "" : $("#state").dataset.away; };
  let recent = [], isLeading = false;
  channel.onmessage = ({ data }) => {
    if (data.hello && isLeading) for (const { change } of recent) channel.postMessage({ change });
    else if (data.change) heard(data.change);
    else if ("isHere" in data) state(data.isHere);
  };
  const share = (isHere) => { state(isHere); channel.postMessage({ isHere }); };
  // What the server refused, as while it starts, a browser does not try again by itself.
  async function again() {
    const answer = await fetch(location.href, { headers: { "hx-request": "true" } }).catch(() => null);
    if (answer?.status === 401) location.reload(); // to sign in
    else answer?.ok ? connect() : setTimeout(again, 1_000);
  }
  function connect() {
    const source = new EventSource(`/console/live/${feed}?after=${encodeURIComponent(document.body.dataset.seen)}`);
    source.addEventListener("open", () => share(true));
    source.addEventListener("error", () => {
      share(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(again, 1_000);
    });
    source.addEventListener("next", (event) => {
      const { data, errors } = JSON.parse(event.data);
      if (errors) { // such as a token that was revoked, or a position that is too old
        source.close();
        share(false);
        return setTimeout(() => location.reload(), 5_000);
      }
      const change = Object.values(data)[0];
      recent = [...recent.filter(({ at }) => at > Date.now() - KEPT), { at: Date.now(), change }];
      channel.postMessage({ change });
      heard(change);
    });
  }
  const lead = () => new Promise(() => { isLeading = true; connect(); });
  navigator.locks ? navigator.locks.request(`potik-${feed}`, lead) : lead();
  channel.postMessage({ hello: true });
}

if (board?.dataset.live) follow("deals", (change) => changed(change.id));
const talks = $("[data-live=messages]");
if (talks) follow("messages", () => htmx.ajax("GET", location.href, { target: "[data-live=messages]", select: "[data-live=messages]", swap: "outerHTML" }));

// ---- Calls that ring ----

const ringing = $("#ringing");
const ended = new Set(); // calls, whose answers may still be on their way
async function showRinging(address) {
  const answer = await fetch(address, { headers: { "hx-request": "true" } });
  if (!answer.ok) return;
  for (const article of $$("article", new DOMParser().parseFromString(await answer.text(), "text/html"))) {
    const shown = document.adoptNode(article);
    const known = document.getElementById(shown.id);
    if (ended.has(shown.id) || shown.dataset.phase !== "ringing") known?.remove(); // it ended while it was asked for
    else known ? known.replaceWith(shown) : ringing.prepend(shown);
  }
}
if (ringing) {
  follow("ringing", ({ id, left }) => {
    left ? ended.add(`call-${id}`) : ended.delete(`call-${id}`);
    left ? document.getElementById(`call-${id}`)?.remove() : showRinging(`/console/ringing/${id}`);
  });
  showRinging("/console/ringing"); // those that began before
}
ringing?.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) event.target.closest("article").remove(); });

// ---- A card: what changes elsewhere, and back in time ----

const card = $(".card[data-live]");
if (card) follow("deals", ({ id }) => {
  if (id !== card.dataset.id) return;
  if (!$(".slider [name=at]").value) htmx.ajax("GET", location.pathname, { target: "#facts", swap: "outerHTML" });
  htmx.trigger(".timeline", "load");
});
const slider = $(".slider input[type=range]");
slider?.addEventListener("input", () => {
  const moments = slider.dataset.moments.split(" ");
  const at = moments[slider.valueAsNumber] || "";
  $(".slider [name=at]").value = at;
  htmx.trigger(slider.form, "moment");
});
document.addEventListener("htmx:afterSettle", () => {
  const output = $(".slider output");
  if (output) output.textContent = $("#facts").dataset.asOf;
});

// ---- A file to import ----

const upload = $("#upload");
upload?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = upload.elements.file.files[0];
  upload.ariaBusy = $("button", upload).disabled = true;
  try {
    const answer = await fetch(`/console/imports?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    const said = await answer.json();
    answer.ok ? location.assign(`/console/imports/${said.id}`) : say(said.errors[0].message);
  } catch {
    say($("#state").dataset.away);
  }
  upload.ariaBusy = $("button", upload).disabled = false;
});

// ---- Keys ----

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, textarea, select") || event.ctrlKey || event.altKey || event.metaKey) return;
  const found = $(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  found.matches("input") ? found.focus() : found.click();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") $("#hits").replaceChildren(); });
