// A form on any page: one script tag with the key of a connection. Described in docs/widget.md.
// After a change run `npm run form` in tests/node: it writes form.min.js, which is served and has at most 8 kB.
(() => {
  const script = document.currentScript || document.querySelector("script[data-key][src*='form.js']");
  const options = script.dataset;
  const address = new URL("in/" + encodeURIComponent(options.key), script.src);
  const prefix = `potik:${options.key}:`;
  const began = performance.now();
  const LIMIT = 30 * 864e5;
  const inFlight = new Set();
  const memory = new Map();

  const TEXTS = {
    uk: {
      __proto__: null,
      name: "Ім’я",
      phone: "Телефон",
      email: "Електронна пошта",
      company: "Компанія",
      message: "Повідомлення",
      button: "Надіслати",
      sending: "Надсилаємо…",
      thanks: "Дякуємо! Ми отримали вашу заявку.",
      kept: "Немає зв’язку. Заявку збережено на цьому пристрої, її буде надіслано, щойно зв’язок відновиться.",
      failed: "Не вдалося надіслати. Спробуйте ще раз або зв’яжіться з нами інакше.",
      check: "Перевірте виділені поля.",
      missing: "Заповніть це поле.",
      badphone: "Введіть номер телефону, наприклад +380 67 123 45 67.",
      bademail: "Введіть адресу, наприклад name@example.com.",
    },
    en: {
      __proto__: null,
      name: "Name",
      phone: "Phone",
      email: "E-mail",
      company: "Company",
      message: "Message",
      button: "Send",
      sending: "Sending…",
      thanks: "Thank you! We have received your message.",
      kept: "You are offline. Your message is kept on this device and will be sent when you are back online.",
      failed: "It could not be sent. Try again, or contact us in another way.",
      check: "Check the marked fields.",
      missing: "Fill in this field.",
      badphone: "Enter a phone number such as +380 67 123 45 67.",
      bademail: "Enter an address such as name@example.com.",
    },
  };
  const STYLE = `
    :host { display: block; font: inherit; color: inherit; max-width: 32rem }
    [hidden] { display: none }
    h2 { font-size: 1.25em; margin: 0 0 .75rem }
    .field { margin-bottom: .75rem }
    label { display: block; margin-bottom: .25rem }
    input, select, textarea { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; color: #111;
      background: #fff; border: 1px solid #767676; border-radius: .25rem }
    [aria-invalid=true] { border-color: #b91c1c }
    .error { color: #b91c1c; margin: .25rem 0 0 }
    button { padding: .6rem 1.25rem; font: inherit; color: #fff; background: var(--form-accent, #1d4ed8); border: 0;
      border-radius: .25rem; cursor: pointer }
    :focus-visible { outline: 3px solid var(--form-accent, #1d4ed8); outline-offset: 2px }
    .hp { position: absolute; left: -999rem }
  `;
  const spoken = (options.lang || script.closest("[lang]")?.lang || navigator.language).slice(0, 2).toLowerCase();
  const language = spoken in TEXTS ? spoken : "en";
  const texts = TEXTS[language];
  const say = (name) => options[name] || texts[name];

  // The address of the first page says where the visitor came from.
  const visit = () => {
    const given = new URLSearchParams(location.search);
    let source = [...given].filter(([name]) => /^(utm_\w+|gclid|fbclid)$/.test(name));
    try {
      if (source.length) sessionStorage.setItem("potik:source", JSON.stringify(source));
      else source = JSON.parse(sessionStorage.getItem("potik:source")) || [];
    } catch {}
    return source;
  };
  const source = visit();

  // What was typed waits here, one entry each, so that two tabs do not undo each other's work.
  const write = (id, entry) => {
    memory.set(id, entry);
    try {
      localStorage.setItem(prefix + id, JSON.stringify(entry));
    } catch {}
  };
  const remove = (id) => {
    memory.delete(id);
    try {
      localStorage.removeItem(prefix + id);
    } catch {}
  };
  const restore = () => {
    try {
      for (const key of Object.keys(localStorage).filter((key) => key.startsWith(prefix))) {
        const id = key.slice(prefix.length);
        try {
          const entry = JSON.parse(localStorage.getItem(key));
          if (entry.fields.every((pair) => Array.isArray(pair) && pair.length == 2) && Math.abs(Date.now() - entry.at) < LIMIT) memory.set(id, entry);
          else remove(id);
        } catch {
          remove(id);
        }
      }
    } catch {}
  };

  // "sent", "waits" (no network, or the server asks for a repeat) or "refused".
  const post = async (id, entry) => {
    const body = entry.files || new URLSearchParams(entry.fields);
    body.set("_key", id);
    body.set("_age", Math.max(0, Math.round((Date.now() - entry.at) / 1000)));
    try {
      const { ok, status } = await fetch(address, {
        method: "POST",
        body,
        credentials: "omit",
        keepalive: !entry.files && `${body}`.length < 6e4,
        signal: AbortSignal.timeout(20000),
      });
      return ok ? "sent" : status > 499 || status == 429 || status == 408 ? "waits" : "refused";
    } catch {
      return "waits";
    }
  };
  const flush = async () => {
    restore();
    for (const [id, entry] of memory) {
      if (inFlight.has(id)) continue;
      inFlight.add(id);
      const outcome = await post(id, entry);
      inFlight.delete(id);
      if (outcome == "sent") remove(id);
      if (outcome == "waits") return setTimeout(flush, 3e4 * (1 + Math.random()));
    }
  };

  const send = async (data, about) => {
    data.get("hp_url") || data.delete("hp_url");
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
    const extra = { page: location.origin + location.pathname + location.search, referrer: document.referrer, ...about };
    for (const [name, value] of [...source, ...Object.entries(extra)]) if (value && !data.has(name)) data.set(name, value);
    data.set("_took", Math.round(performance.now() - began));
    const given = [...data].filter(([, value]) => !(value instanceof File) || value.size);
    const entry = { at: Date.now(), fields: given };
    if (given.some(([, value]) => value instanceof File)) {
      entry.files = data; // a file is more than a browser can keep
      return (await post(id, entry)) == "sent" ? "thanks" : "failed";
    }
    write(id, entry);
    inFlight.add(id);
    const outcome = await post(id, entry);
    inFlight.delete(id);
    if (outcome == "waits") return setTimeout(flush, 3e4), "kept";
    remove(id);
    return outcome == "sent" ? "thanks" : "failed";
  };

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const name in attributes) if (attributes[name] !== undefined) made.setAttribute(name, attributes[name]);
    made.append(...children);
    return made;
  };
  const tell = (target, name) => target.dispatchEvent(new CustomEvent("form-" + name, { bubbles: true }));

  // A form of the page's own: what its visitor sends comes here, and to its own action when we cannot take it.
  const enhance = () => {
    const { matches } = Element.prototype;
    const { submit, reset } = HTMLFormElement.prototype;
    const states = new Map();
    document.addEventListener("submit", async (event) => {
      const form = event.target;
      if (event.defaultPrevented || !matches.call(form, options.form)) return;
      event.preventDefault();
      if (states.get(form)?.busy) return;
      const state = states.get(form) || { line: element("p", { role: "status", tabindex: -1, lang: language }) };
      states.set(form, state);
      if (!state.line.isConnected) form.after(state.line);
      state.busy = true;
      state.line.textContent = texts.sending;
      let outcome = "failed";
      try {
        const data = new FormData(form, event.submitter);
        for (const secret of form.querySelectorAll("input[type=password], [autocomplete^=cc-]")) data.delete(secret.name);
        const next = data.get("_next");
        data.delete("_next");
        outcome = await send(data, { form_id: options.name || form.getAttribute("id") || "" });
        if (outcome == "thanks" && next && /^https?:$/.test(new URL(next, location).protocol)) location.assign(next);
      } catch {}
      state.busy = false;
      state.line.textContent = say(outcome);
      tell(form, outcome);
      if (outcome == "failed" && form.hasAttribute("action")) {
        const { name, value } = event.submitter || {};
        if (name) form.append(element("input", { type: "hidden", name, value }));
        submit.call(form);
      } else if (outcome != "failed") reset.call(form), state.line.focus();
    });
  };

  // A form of our own, in a shadow root, so that neither side's styles reach the other.
  const KINDS = { __proto__: null, phone: ["tel", "tel"], email: ["email", "email"], name: ["text", "name"], company: ["text", "organization"] };
  const render = (settings) => {
    const host = element("div", { lang: language });
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {}
    const pick = (name) => options[name] || settings[name] || texts[name];
    const fields = [];
    const title = pick("title");
    const form = element("form", { part: "form", novalidate: "", "aria-labelledby": title && "title" });
    if (title) form.append(element("h2", { id: "title", part: "title" }, title));
    for (const declared of (pick("fields") || "name*,phone*,message").split(",")) {
      const [, name, star, label, choices] = /^\s*([^:*=]+?)\s*(\*?)\s*(?::([^=]*))?(?:=(.*))?$/.exec(declared) || [];
      if (!name) continue;
      const id = "f" + fields.length;
      const [type, autocomplete] = KINDS[name] || ["text"];
      const attributes = { id, name, part: "input", required: star ? "" : undefined, "aria-describedby": id + "e" };
      const input = choices
        ? element("select", attributes, ...["", ...choices.split("|")].map((one) => element("option", {}, one.trim())))
        : name == "message"
          ? element("textarea", { ...attributes, rows: 4 })
          : element("input", { ...attributes, type, autocomplete });
      const error = element("p", { id: id + "e", class: "error", part: "error", hidden: "" });
      fields.push({ input, error, type });
      const shown = (label || texts[name] || name).trim() + (star && " *");
      form.append(element("div", { class: "field", part: "field" }, element("label", { for: id, part: "label" }, shown), input, error));
    }
    const trap = element("input", { name: "hp_url", tabindex: -1, autocomplete: "off" });
    const button = element("button", { part: "button" }, pick("button"));
    const line = element("p", { role: "status", part: "status", tabindex: -1 });
    form.append(element("div", { class: "hp", "aria-hidden": true }, trap), button);
    root.append(form, line);

    const problem = ({ input, type }) => {
      const value = input.value.trim();
      if (!value) return input.required ? "missing" : "";
      if (type == "tel" && value.replace(/\D/g, "").length < 7) return "badphone";
      return type == "email" && !/^\S+@\S+\.\S+$/.test(value) ? "bademail" : "";
    };
    const check = (field) => {
      const found = problem(field);
      field.error.textContent = found && texts[found];
      field.error.hidden = !found;
      field.input.setAttribute("aria-invalid", !!found);
      return found;
    };
    for (const field of fields) field.input.addEventListener("change", () => field.error.hidden || check(field));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.ariaDisabled == "true") return;
      const wrong = fields.filter(check);
      line.textContent = wrong.length ? texts.check : texts.sending;
      if (wrong.length) return wrong[0].input.focus();
      button.ariaDisabled = "true";
      let outcome = "failed";
      try {
        outcome = await send(new FormData(form), { form_id: options.name });
      } catch {}
      button.ariaDisabled = "false";
      line.textContent = pick(outcome);
      if (outcome != "failed") form.reset(), (form.hidden = outcome == "thanks");
      line.focus();
      tell(host, outcome);
    });
    const place = options.target && document.querySelector(options.target);
    if (place) place.append(host);
    else if (script.closest("body")) script.after(host);
    else document.body.append(host);
  };

  const start = async () => {
    if (options.form) return enhance();
    let settings = {};
    if (!options.fields) {
      try {
        settings = await (await fetch(address, { credentials: "omit" })).json();
      } catch {}
    }
    render(settings);
  };
  addEventListener("online", flush);
  flush();
  if (options.form || document.readyState != "loading") start();
  else addEventListener("DOMContentLoaded", start);
})();
