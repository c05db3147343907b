"use strict";
// Everything that came from an app goes into the page as text, by textContent alone.
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const byId = (id) => document.getElementById(id);
  const STEP = 50;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = seen(text);
    return element;
  };
  const put = (parent, ...children) => { parent.append(...children.filter(Boolean)); return parent; };
  // Control characters, and those that turn the direction of what follows, are written as escapes.
  const seen = (text) => String(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu,
    (char) => "\\u" + char.codePointAt(0).toString(16).padStart(4, "0"));

  const owner = {};
  run.causes.forEach((cause, at) => {
    for (const each of [...cause.fingerprints, ...cause.folded]) owner[each] ??= at + 1;
  });
  const folded = new Set(run.causes.flatMap((cause) => cause.folded));
  run.causes.forEach((cause) => cause.fingerprints.forEach((each) => folded.delete(each)));
  const operationOf = (fingerprint) => fingerprint.split(" ").slice(0, 2).join(" ");

  const causes = run.causes.map((cause, at) => ({
    type: "cause", number: at + 1, title: cause.title, level: cause.level, operations: Object.keys(cause.operations),
    sources: cause.sources, status: cause.exposes || ["secret", "guard"].includes(cause.reason) ? "security" : "new", value: cause,
  }));
  const differences = run.differences.map((each, at) => ({
    type: "difference", number: at + 1, title: each.fingerprint, level: each.level, operations: [operationOf(each.fingerprint)],
    sources: each.sources, status: folded.has(each.fingerprint) ? "follows" : each.exposes ? "security" : "new", value: each,
  }));
  const accepted = run.accepted_differences.map((each, at) => ({
    type: "accepted", number: at + 1, title: each.fingerprint, level: each.level, operations: [operationOf(each.fingerprint)],
    sources: each.sources, status: "accepted", value: each,
  }));
  const views = {
    causes: { name: "Causes", items: causes },
    differences: { name: "All differences", items: [...differences, ...accepted] },
    accepted: { name: "Accepted", items: accepted },
    coverage: { name: "Coverage", items: null },
  };
  for (const view of Object.values(views)) {
    for (const item of view.items ?? []) {
      const value = item.value;
      item.text ??= [item.title, value.original, value.port, value.reason, value.curl, (value.cases ?? []).join("\n"),
        (value.fingerprints ?? []).join("\n"), value.closes?.names].join("\n").toLowerCase();
    }
  }

  const FILTERS = ["q", "level", "operation", "source", "status"];
  const state = { view: "causes", q: "", level: "", operation: "", source: "", status: "" };
  let items = [];
  let shown = 0;

  const readPlace = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const key of Object.keys(state)) state[key] = given.get(key) ?? (key === "view" ? "causes" : "");
    if (!(state.view in views)) state.view = "causes";
    for (const key of FILTERS) byId(key).value = state[key];
  };
  const writePlace = () => {
    const said = Object.entries(state).filter(([key, value]) => value && !(key === "view" && value === "causes"));
    history.replaceState(null, "", "#" + new URLSearchParams(said));
  };

  const options = (id, values, all) => {
    const select = byId(id);
    select.append(new Option(all, ""), ...values.map((value) => new Option(seen(value), value)));
    if (values.length < 2) select.closest("label").hidden = true;
  };
  const everything = [...causes, ...differences, ...accepted];
  const distinct = (values) => [...new Set(values)].sort();
  options("level", distinct(everything.map((item) => item.level)), "all");
  options("operation", distinct(everything.flatMap((item) => item.operations)), "all");
  options("source", distinct(everything.flatMap((item) => item.sources)), "all");
  options("status", distinct(everything.map((item) => item.status)), "all");

  const fits = (item) =>
    (!state.level || item.level === state.level) && (!state.operation || item.operations.includes(state.operation)) &&
    (!state.source || item.sources.includes(state.source)) && (!state.status || item.status === state.status) &&
    state.q.toLowerCase().split(/\s+/).every((word) => item.text.includes(word));

  const facts = byId("facts");
  const fact = (count, name) => facts.append(put(make("li"), make("b", "", count), document.createTextNode(name)));
  fact(run.causes.length, run.causes.length === 1 ? "cause" : "causes");
  fact(run.differences.length, run.differences.length === 1 ? "difference" : "differences");
  fact(folded.size, folded.size === 1 ? "of them follows" : "of them follow");
  fact(run.accepted_differences.length, "accepted");
  fact(run[run.noun + "s"], run.noun + "s");
  fact(new Set(run.coverage.map((row) => row.operation)).size, "operations reached");
  fact(run.seconds + " s", "");

  for (const note of [...run.down, ...run.ledger, ...run.not_as_documented, ...run.never_seen, ...run.notes,
    ...Object.entries(run.failures).map(([name, told]) => `failed: ${name}\n${told}`)]) byId("run-notes").append(make("p", "note", note));

  for (const [key, view] of Object.entries(views)) {
    const button = make("button", "", view.items ? `${view.name} (${view.items.length})` : view.name);
    button.type = "button";
    button.dataset.view = key;
    button.addEventListener("click", () => { state.view = key; update(); });
    byId("views").append(button);
  }

  const update = () => {
    writePlace();
    for (const button of byId("views").children) button.setAttribute("aria-pressed", button.dataset.view === state.view);
    byId("list").replaceChildren();
    byId("more").hidden = true;
    shown = 0;
    const view = views[state.view];
    if (!view.items) return coverage();
    items = view.items.filter(fits);
    byId("count").textContent = items.length === view.items.length
      ? `${items.length} in all` : `${items.length} of ${view.items.length}`;
    more();
  };
  const more = () => {
    const next = items.slice(shown, shown + STEP);
    byId("list").append(...next.map(card));
    shown += next.length;
    byId("more").hidden = shown >= items.length;
    byId("more").textContent = `Show more (${items.length - shown} left)`;
  };
  byId("more").addEventListener("click", () => {
    const first = shown;
    more();
    byId("list").children[first]?.querySelector("summary").focus();
  });
  // Where the end comes into view, the next ones are there before they are asked for.
  if ("IntersectionObserver" in window) {
    new IntersectionObserver((seenNow) => { if (seenNow.some((each) => each.isIntersecting) && !byId("more").hidden) more(); },
      { rootMargin: "400px" }).observe(byId("more"));
  }

  const card = (item) => {
    const article = make("article");
    const details = make("details");
    const summary = make("summary");
    put(summary, make("span", "number", item.number), make("span", item.type === "cause" ? "title" : "title mono", item.title),
      put(make("span", "marks"), ...marks(item)));
    details.append(summary);
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(inside(item)); });
    article.append(details);
    return article;
  };
  const marks = (item) => {
    const value = item.value;
    const counted = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
    return [
      item.status === "security" && make("span", "mark security", "security"),
      item.status === "accepted" && make("span", "mark accepted", "accepted"),
      item.status === "follows" && make("span", "mark", `follows from cause ${owner[value.fingerprint]}`),
      item.type === "difference" && item.status !== "follows" && owner[value.fingerprint] && make("span", "mark", `cause ${owner[value.fingerprint]}`),
      make("span", "mark", item.level),
      item.type === "cause" && make("span", "mark", counted(item.operations.length, "operation")),
      item.type === "cause" && make("span", "mark", counted(value.fingerprints.length, "difference")),
      item.type === "cause" && value.folded.length > 0 && make("span", "mark", `${value.folded.length} that follow`),
      value.closes && make("span", "mark closes", value.closes.names.replace(":", ".")),
    ].filter(Boolean);
  };

  const block = (heading, ...children) => put(make("section"), make("h3", "", heading), ...children);
  const text = (value, empty) => value === null || value === undefined
    ? make("pre", "absent", empty ?? "(absent)") : make("pre", "", value === "" ? "(empty)" : value);
  const inside = (item) => {
    const value = item.value;
    const exchange = value.exchange === null ? null : run.exchanges[value.exchange];
    const box = make("div", "inside");
    if (value.closes) {
      put(box, put(make("p", "closing"), document.createTextNode("Closed by "), make("code", "", value.closes.names.replace(":", ".")),
        document.createTextNode(": write "), make("code", "", value.closes.write), document.createTextNode(` (${value.closes.docs})`)));
    }
    if (item.type === "accepted") {
      put(box, put(make("p", "closing"), document.createTextNode(seen(`Accepted: ${value.reason} (decision ${value.decision}, ${value.owner}), ${value.count} times`))));
    }
    if (value.exposes) put(box, make("p", "note", `The ${value.exposes} gives back a secret that the client sent.`));
    put(box, put(make("div", "values"), block("original", text(value.original)), block("port", text(value.port))));
    if (exchange) {
      const curl = value.curl ?? exchange.curl;
      put(box, block("ask again", put(make("div", "copy"), make("pre", "", curl), copies(curl))));
      put(box, block("the request", make("pre", "", requestText(exchange.request))));
      if (exchange.port_request) put(box, block("the port was sent, with its own ids", make("pre", "", requestText(exchange.port_request))));
      put(box, block("the diff", diff(answerLines(exchange.original), answerLines(exchange.port))));
      put(box, put(make("div", "sides"), block("the original answered", make("pre", "", answerText(exchange.original))),
        block("the port answered", make("pre", "", answerText(exchange.port)))));
    } else if (value.curl) put(box, block("ask again", make("pre", "", value.curl)));
    if (item.type === "cause") {
      put(box, block("operations", names(Object.entries(value.operations).map(([name, count]) => `${name}  ×${count}`))));
      put(box, block("differences", names(value.fingerprints)));
      if (value.folded.length) put(box, block("what follows from it", names(value.folded)));
    }
    if (value.cases?.length) put(box, block("cases", names(value.cases)));
    return box;
  };
  const names = (values) => {
    const list = put(make("ul", "plain"), ...values.slice(0, STEP).map((value) => make("li", "", value)));
    if (values.length > STEP) list.append(make("li", "", `and ${values.length - STEP} more (report.json has all)`));
    return list;
  };
  const copies = (value) => {
    const button = make("button", "", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(value); button.textContent = "Copied"; } catch { button.textContent = "Select it"; }
    });
    return button;
  };

  const headLines = (headers) => headers.map(([name, value]) => `${name}: ${value}`);
  const bodyLines = (message) => {
    if (!message.body) return [];
    const json = /^\s*[{[]/.test(message.body);
    return ["", ...(json ? laidOut(message.body) : message.body).split("\n")];
  };
  // JSON over lines by its text alone: what is read and written anew has lost how it was spelled (1.0 is 1).
  const laidOut = (body) => {
    let depth = 0;
    return body.replace(/"(?:[^"\\]|\\.)*"?|[{[]\s*[}\]]|[{[]\s*|\s*[}\]]|,\s*|:\s*|\s+$/g, (token) => {
      const mark = token.trim();
      if (mark[0] === '"' || /^[{[].*[}\]]$/s.test(mark)) return mark;
      if (mark === "{" || mark === "[") return mark + "\n" + "  ".repeat(++depth);
      if (mark === "}" || mark === "]") return "\n" + "  ".repeat(depth = Math.max(0, depth - 1)) + mark;
      if (mark === ",") return ",\n" + "  ".repeat(depth);
      return mark === ":" ? ": " : token;
    });
  };
  const cutNote = (message) => message.body_is_whole ? [] : [`(${message.body_bytes} bytes in all)`];
  const answered = (answer) => answer.failure ? `failed: ${answer.failure}` + (answer.status ? ` after ${answer.status}` : "")
    : `${answer.status}` + (answer.raised ? `, raised ${answer.raised}` : "");
  const requestText = (request) => [`${request.method} ${request.target}`, ...headLines(request.headers),
    ...(request.body ? ["", request.body] : []), ...cutNote(request)].join("\n");
  const answerText = (answer) => [answered(answer), ...headLines(answer.headers), ...(answer.body ? ["", answer.body] : []), ...cutNote(answer)].join("\n");
  // Names of header fields have no case, and those of different names no order: the diff shows what counts.
  const answerLines = (answer) => [answered(answer),
    ...answer.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort(), ...bodyLines(answer)];

  const LINES = 400;
  const diff = (ours, theirs) => {
    const a = ours.slice(0, LINES);
    const b = theirs.slice(0, LINES);
    const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--) {
      for (let j = b.length - 1; j >= 0; j--) {
        table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
      }
    }
    const pre = make("pre", "diff");
    const line = (mark, className, value) => pre.append(make("span", className, `${mark} ${value}`));
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      if (i < a.length && j < b.length && a[i] === b[j]) { line(" ", "same", a[i]); i++; j++; }
      else if (i < a.length && (j === b.length || table[i + 1][j] >= table[i][j + 1])) line("-", "minus", a[i++]);
      else line("+", "plus", b[j++]);
    }
    if (ours.length > LINES || theirs.length > LINES) line("…", "gap", "more lines follow");
    return pre;
  };

  const table = (head, rows) => {
    const body = make("tbody");
    for (const row of rows) {
      body.append(put(make("tr"), ...row.map((cell) => make("td", typeof cell === "number" ? "n" : "", cell))));
    }
    return put(make("div", "scroll"), put(make("table"), put(make("thead"), put(make("tr"), ...head.map((name, at) => make("th", typeof rows[0]?.[at] === "number" ? "n" : "", name)))), body));
  };
  const coverage = () => {
    const words = state.q.toLowerCase().split(/\s+/);
    const rows = run.coverage.filter((row) => (!state.operation || row.operation === state.operation) &&
      (!state.source || row.source === state.source) &&
      words.every((word) => `${row.operation} ${row.status} ${row.media_type}`.toLowerCase().includes(word)));
    const levels = new Map();
    for (const each of run.differences) {
      const key = operationOf(each.fingerprint);
      levels.set(key, (levels.get(key) ?? new Set()).add(each.level));
    }
    byId("count").textContent = `${rows.length} of ${run.coverage.length} rows`;
    const list = byId("list");
    put(list, make("h2", "", "What was reached"), table(["operation", "status", "media type", "source", "exchanges", "differs at", "masked at"],
      rows.slice(0, 2000).map((row) => [row.operation, row.status, row.media_type || "none", row.source, row.count,
        [...(levels.get(row.operation) ?? [])].join(", ") || "nothing", row.levels_masked.join(", ") || "nothing"])));
    if (run.never_reached.length) put(list, make("h2", "", "What was never reached"), table(["operation"], run.never_reached.map((each) => [each])));
    const areas = Object.entries(run.areas).flatMap(([area, columns]) => Object.entries(columns).map(([column, outcomes]) =>
      [area, column, Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`).join(", ")]));
    put(list, make("h2", "", "By area"), table(["area", "column", "outcomes"], areas));
    const left = Object.entries(run.left_out);
    if (left.length) put(list, make("h2", "", "Left out"), table(["why", "count"], left));
  };

  let waiting;
  byId("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { state.q = byId("q").value; update(); }, 120); });
  for (const id of FILTERS.slice(1)) byId(id).addEventListener("change", () => { state[id] = byId(id).value; update(); });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(() => {
    for (const key of FILTERS) state[key] = "";
    update();
  }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") { event.preventDefault(); byId("q").focus(); return; }
    if (event.key !== "j" && event.key !== "k") return;
    const cards = [...document.querySelectorAll("article > details > summary")];
    const at = cards.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    if (at >= cards.length && !byId("more").hidden) more();
    document.querySelectorAll("article > details > summary")[Math.max(0, at)]?.focus();
  });
  window.addEventListener("hashchange", () => { readPlace(); update(); });
  // A number behind `open` opens that card: a link may lead to one.
  const opened = Number(new URLSearchParams(location.hash.slice(1)).get("open"));
  readPlace();
  update();
  if (opened) byId("list").children[opened - 1]?.querySelector("details").setAttribute("open", "");
  document.body.dataset.ready = "yes";
})();
