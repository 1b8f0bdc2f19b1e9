
"use strict";
(() => {
  const LINES = 1000; // shown at once
  const AT_ONCE = 400; // exchanges put into the page between two frames
  const $ = (id) => document.getElementById(id);
  const make = (name, cls, text) => {
    const element = document.createElement(name);
    if (cls) element.className = cls;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const list = $("list"), search = $("search"), picks = { kind: $("kind"), status: $("status"), session: $("session") };
  const sessions = [], rows = [];
  let longest = 1, needle = [], wanted = 0;

  // --- what there is: JSON in elements that stand in front of this script
  for (const data of document.querySelectorAll('script[type="application/json"]')) {
    const kind = data.className;
    if (kind === "lines") { rows[rows.length - 1].lines = data; continue; }
    if (kind === "exchange") {
      const x = JSON.parse(data.textContent)[0];
      x.home = sessions[sessions.length - 1];
      x.text = [x.tag, x.said, x.result, x.meaning, x.marks, ...x.details, ...x.quirks].join("\n").toLowerCase();
      if (x.took !== null && x.command !== "IDLE") longest = Math.max(longest, x.took);
      x.home.rows.push(x);
      rows.push(x);
      continue;
    }
    if (kind === "session") sessions.push({ ...JSON.parse(data.textContent)[0], rows: [], events: null, loose: null });
    else sessions[sessions.length - 1][kind] = data;
  }

  // --- text of peers: never markup
  const TOKEN = /\\\\|\\x[0-9a-f]{2}|\\\{([^}]*) (\d+)\}|\\$/g;
  const plainText = (parent, text) => {
    if (!needle.length || !text) { parent.append(text); return; }
    const low = text.toLowerCase();
    if (low.length !== text.length) { parent.append(text); return; }
    let from = 0;
    while (from < text.length) {
      let at = -1, size = 0;
      for (const word of needle) {
        const found = low.indexOf(word, from);
        if (found >= 0 && (at < 0 || found < at)) { at = found; size = word.length; }
      }
      if (at < 0) break;
      parent.append(text.slice(from, at), make("mark", "", text.slice(at, at + size)));
      from = at + size;
    }
    parent.append(text.slice(from));
  };
  const exactText = (parent, text) => {
    let from = 0;
    for (const token of text.matchAll(TOKEN)) {
      plainText(parent, text.slice(from, token.index));
      parent.append(token[1] === undefined ? make("span", "esc", token[0]) : make("span", "mask", "masked " + token[1]));
      from = token.index + token[0].length;
    }
    plainText(parent, text.slice(from));
  };

  // --- lines
  const line = (entry) => {
    const [, side, text] = entry, element = make("div", "l " + side[0] + (side[1] === "*" ? " absent" : ""));
    element.append(make("b", "", side[1] === "|" ? "" : side[0] + ":"));
    const span = make("span");
    if (side[1] === "*") span.textContent = "(" + text + ")"; else exactText(span, text);
    element.append(span);
    return element;
  };
  const fold = (entries) => {
    const size = entries.reduce((sum, entry) => sum + entry[3], 0);
    const details = make("details", entries[0][1][0]);
    details.append(make("summary", "", `literal, ${size.toLocaleString("en")} B`));
    const fill = () => { if (details.open && details.childNodes.length === 1) pour(details, entries, (entry) => line(entry)); };
    details.addEventListener("toggle", fill);
    if (entries.length < 500 && needle.length && entries.some((entry) => needle.some((word) => entry[2].toLowerCase().includes(word)))) {
      details.open = true;
      fill();
    }
    return details;
  };
  const pour = (parent, entries, shown, from = 0) => {
    const part = document.createDocumentFragment();
    let index = from, count = 0;
    while (index < entries.length && count < LINES) {
      let end = index + 1;
      if (shown === either && entries[index][1][1] === "|" && entries[index][3] > 0) {
        while (end < entries.length && entries[end][1] === entries[index][1]) end++;
        const group = entries.slice(index, end);
        const size = group.reduce((sum, entry) => sum + entry[3], 0);
        part.append(...(size <= 80 ? group.map(line) : [fold(group)]));
      } else part.append(line(entries[index]));
      index = end;
      count++;
    }
    if (index < entries.length) {
      const more = make("button", "more", `${(entries.length - index).toLocaleString("en")} more lines`);
      more.type = "button";
      more.addEventListener("click", () => { more.remove(); pour(parent, entries, shown, index); });
      part.append(more);
    }
    parent.append(part);
  };
  const either = () => {};
  const linesOf = (data) => {
    const box = make("div", "said-lines");
    const entries = data ? JSON.parse(data.textContent) : [];
    if (entries.length) pour(box, entries, either); else box.append(make("span", "absent", "no bytes were recorded"));
    return box;
  };

  // --- exchanges
  const clock = (micros) => (micros / 1e6).toFixed(3);
  const head = (x) => {
    const button = make("button", "head");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    const bar = make("span", "bar"), inner = make("i");
    if (x.took !== null && x.command !== "IDLE") inner.style.width = Math.max(1, 100 * x.took / longest) + "%";
    else inner.style.display = "none";
    bar.append(inner);
    const what = make("span", "what " + (x.status === "OK" || x.status === "PREAUTH" ? "ok" : "bad"), x.result);
    const meaning = make("span", "meaning", x.meaning);
    for (const odd of [x.marks, ...x.quirks]) if (odd) meaning.append(make("span", "odd", ` (${odd})`));
    button.append(make("span", "n", x.number), make("span", "at", clock(x.at)), bar, make("span", "said", x.said), what,
      make("span", "ms", x.duration), meaning);
    button.addEventListener("click", () => toggle(x));
    return button;
  };
  const element = (x) => {
    const article = make("article", "x " + x.kind);
    article.append(head(x));
    x.element = article;
    return article;
  };
  const toggle = (x, open = !x.body) => {
    if (!x.element || open === Boolean(x.body)) return;
    x.element.firstChild.setAttribute("aria-expanded", String(open));
    if (!open) { x.body.remove(); x.body = null; return; }
    x.body = make("div", "body");
    const facts = [`tag ${x.tag}`, `at ${clock(x.at)} s`, `${x.bytes[0].toLocaleString("en")} / ${x.bytes[1].toLocaleString("en")} B`];
    if (x.mailbox !== null) facts.push(`mailbox ${x.mailbox}`);
    x.body.append(make("p", "facts", facts.join(" · ")));
    for (const text of [x.meaning, ...x.details]) {
      if (!text) continue;
      const detail = make("p", "detail");
      plainText(detail, text);
      x.body.append(detail);
    }
    for (const text of x.quirks) x.body.append(make("p", "detail odd", text));
    x.body.append(linesOf(x.lines));
    x.element.append(x.body);
  };

  // --- sessions
  const folded = (title, fill) => {
    const details = make("details", "group");
    details.append(make("summary", "", title));
    details.addEventListener("toggle", () => { if (details.open && details.childNodes.length === 1) details.append(fill()); });
    return details;
  };
  const begin = (home) => {
    const section = make("section");
    section.append(make("h2", "", `Session ${home.session}`));
    const facts = [home.opened, `${home.client} → ${home.listen}, server ${home.upstream}`, home.ending];
    section.append(make("p", "facts", facts.join(" · ")));
    const events = home.events ? JSON.parse(home.events.textContent) : [];
    if (events.length) section.append(folded(`${events.length} event${events.length === 1 ? "" : "s"}`, () => {
      const box = make("div", "said-lines");
      for (const text of events) box.append(make("div", "l-event", text));
      return box;
    }));
    if (home.loose && home.loose.textContent.length > 2) section.append(folded("outside of exchanges", () => linesOf(home.loose)));
    home.element = section;
    list.append(section);
  };
  let next = 0;
  const fill = (count) => {
    for (const home of sessions) if (!home.element) begin(home);
    const part = new Map();
    for (; next < rows.length && count > 0; next++, count--) {
      const x = rows[next];
      if (!part.has(x.home)) part.set(x.home, document.createDocumentFragment());
      part.get(x.home).append(element(x));
      if (x.out) x.element.hidden = true;
    }
    for (const [home, fragment] of part) home.element.append(fragment);
    if (next < rows.length) requestAnimationFrame(() => fill(AT_ONCE));
  };

  // --- search and filter
  const inert = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" };
  const encoded = (word) => JSON.stringify(word).slice(1, -1).replace(/[<>&]/g, (found) => inert[found]);
  const holds = (x, words) => words.every(([word, json]) => {
    if (x.text.includes(word)) return true;
    if (!x.lines) return false;
    return x.lines.textContent.toLowerCase().includes(json);
  });
  const sum = () => {
    const all = rows.length.toLocaleString("en"), some = wanted.toLocaleString("en");
    const counted = wanted === rows.length ? `${all} exchanges` : `${some} of ${all} exchanges`;
    $("sum").textContent = `${counted} in ${sessions.length.toLocaleString("en")} session${sessions.length === 1 ? "" : "s"}`;
  };
  let turn = 0;
  const sift = () => {
    needle = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const words = needle.map((word) => [word, encoded(word)]), mine = ++turn;
    const chosen = Object.fromEntries(Object.entries(picks).map(([name, pick]) => [name, pick.value]));
    let index = 0;
    wanted = 0;
    const go = () => { // in slices, so that typing goes on
      const until = performance.now() + 30;
      for (; index < rows.length; index++) {
        if (index % 64 === 0 && performance.now() > until) { setTimeout(() => { if (mine === turn) go(); }); return; }
        const x = rows[index];
        x.out = !((!chosen.kind || x.kind === chosen.kind || x.command === chosen.kind)
          && (!chosen.status || x.status === chosen.status)
          && (!chosen.session || String(x.session) === chosen.session) && holds(x, words));
        if (!x.out) wanted++;
        if (x.element) x.element.hidden = x.out;
        if (x.body) { toggle(x, false); toggle(x, true); }
      }
      for (const home of sessions) {
        const none = home.rows.length > 0 && home.rows.every((x) => x.out);
        if (home.element) home.element.hidden = none || (chosen.session && String(home.session) !== chosen.session);
      }
      sum();
      draw();
      document.documentElement.dataset.sifted = turn;
    };
    go();
  };
  const options = (pick, values) => { for (const value of values) { const option = make("option", "", value); option.value = value; pick.append(option); } };
  const distinct = (name) => [...new Set(rows.map((x) => x[name]))].sort();
  options(picks.kind, [...distinct("kind"), ...distinct("command")]);
  options(picks.status, distinct("status"));
  options(picks.session, sessions.map((home) => String(home.session)));
  if (sessions.length < 2) picks.session.hidden = true;
  let typing = 0;
  search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(sift, 120); });
  for (const pick of Object.values(picks)) pick.addEventListener("change", sift);
  $("tools").addEventListener("submit", (event) => event.preventDefault());

  // --- timeline: a lane a session, as far as there is room
  const canvas = $("time"), LANES = 12;
  let spread = [0, 1];
  const measure = () => {
    let first = Infinity, last = -Infinity;
    for (const x of rows) {
      first = Math.min(first, x.home.wall + x.at);
      last = Math.max(last, x.home.wall + x.at + (x.took || 0));
    }
    spread = first < last ? [first, last] : [first, first + 1];
  };
  const draw = () => {
    const lanes = Math.min(LANES, Math.max(1, sessions.length)), height = Math.min(64, 4 + 20 * lanes);
    canvas.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, tall = (height - 4) / lanes;
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    pen.scale(ratio, ratio);
    const colours = new Map();
    const colour = (name) => {
      if (!colours.has(name)) colours.set(name, style.getPropertyValue("--" + name).trim());
      return colours.get(name);
    };
    pen.fillStyle = colour("raised");
    pen.fillRect(0, 0, width, height);
    const good = (x) => x.status === "OK" || x.status === "PREAUTH";
    for (const x of [...rows.filter(good), ...rows.filter((each) => !good(each))]) { // what was refused is seen
      const lane = x.home.lane % lanes;
      const left = (x.home.wall + x.at - spread[0]) / (spread[1] - spread[0]) * (width - 4) + 2;
      const wide = Math.max(1.5, (x.took || 0) / (spread[1] - spread[0]) * (width - 4));
      pen.globalAlpha = x.out ? 0.12 : x.command === "IDLE" ? 0.3 : 1;
      pen.fillStyle = colour(good(x) ? x.kind : "bad");
      pen.fillRect(left, 2 + lane * tall, wide, Math.max(1, Math.min(tall - 1, 24)));
    }
  };
  const near = (event) => {
    const at = spread[0] + (event.offsetX - 2) / Math.max(1, canvas.clientWidth - 4) * (spread[1] - spread[0]);
    let best = null, least = Infinity;
    for (const x of rows) {
      if (x.out) continue;
      const begin = x.home.wall + x.at, away = at < begin ? begin - at : Math.max(0, at - begin - (x.took || 0));
      if (away < least) { least = away; best = x; }
    }
    return best;
  };
  canvas.addEventListener("mousemove", (event) => { const x = near(event); canvas.title = x ? `${x.number} ${x.said.slice(0, 80)}: ${x.duration}` : ""; });
  canvas.addEventListener("click", (event) => { const x = near(event); if (x) { fill(Infinity); go(x); } });
  window.addEventListener("resize", draw);

  // --- keyboard
  const shown = () => rows.filter((x) => !x.out && x.element);
  const go = (x) => { x.element.firstChild.focus({ preventScroll: true }); x.element.scrollIntoView({ block: "nearest" }); };
  const step = (by) => {
    const those = shown(), here = document.activeElement && document.activeElement.closest("article");
    const index = those.findIndex((x) => x.element === here);
    const x = those[index < 0 ? (by > 0 ? 0 : those.length - 1) : Math.min(those.length - 1, Math.max(0, index + by))];
    if (x) go(x);
  };
  const KEYS = {
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
    "/": () => { search.focus(); search.select(); },
    e: () => shown().slice(0, 200).forEach((x) => toggle(x, true)),
    c: () => rows.forEach((x) => toggle(x, false)),
    d: () => theme(),
    Escape: () => { search.value = ""; for (const pick of Object.values(picks)) pick.value = ""; sift(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, select");
    if (field && event.key !== "Escape") return;
    if (!Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    if (field) field.blur();
    KEYS[event.key]();
  });

  // --- dark and light
  const THEMES = ["auto", "dark", "light"];
  const theme = () => {
    const now = THEMES[(THEMES.indexOf($("theme").textContent) + 1) % THEMES.length];
    $("theme").textContent = now;
    if (now === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = now;
    draw();
  };
  $("theme").addEventListener("click", theme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  sessions.forEach((home, index) => { home.lane = index; });
  wanted = rows.length;
  measure();
  sum();
  fill(AT_ONCE);
  draw();
  if (!rows.length && !sessions.length) list.append(make("p", "note", "There is nothing in this selection."));
  document.documentElement.dataset.ready = "true";
})();
