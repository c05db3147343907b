"use strict";
// Everything that came from the code goes into the page as text, by textContent alone.
(() => {
  const board = JSON.parse(document.getElementById("board").textContent);
  const byId = (id) => document.getElementById(id);
  const STEP = 100;

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

  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const guard = (each) => `${each.kind} ${each.name} (${each.place})` + (each.by_name ? ", told by its name" : "");
  const dropped = (row) => !row.port && !row.missing;
  const isDone = (row) => dropped(row) || (row.port && row.state === "implemented" && row.alike === true && !row.globals && !row.unguarded);
  const asked = (row) => row.port || row.missing;

  // What a team asks each morning; a step's own filter shows what is still to do in it.
  const STATES = {
    unguarded: ["security: guarded in the original alone", (row) => row.unguarded],
    missing: ["no port and no decision", (row) => row.missing],
    todo: ["not done", (row) => !isDone(row)],
    cases: ["no test cases", (row) => asked(row) && row.cases === 0],
    globals: ["globals left below the view", (row) => asked(row) && row.globals > 0],
    models: ["no models", (row) => row.port && !row.models.length],
    stub: ["not implemented", (row) => asked(row) && row.state !== "implemented"],
    differs: ["different in the last run", (row) => row.alike === false],
    unknown: ["not known whether alike", (row) => row.port && row.alike === null],
    dropped: ["decided: no port", dropped],
    done: ["done", isDone],
  };
  const rows = board.routes;
  const wanted = rows.filter(asked);
  const told = (values) => values.some((value) => value !== null);
  const STEPS = [
    ["1 test cases", wanted.filter((row) => row.cases > 0).length, "cases", told(wanted.map((row) => row.cases))],
    ["2 in the port", rows.filter((row) => row.port).length, "missing", true],
    ["3, 4 no globals below the view", wanted.filter((row) => !row.globals).length, "globals", true],
    ["5 models", wanted.filter((row) => row.models.length).length, "models", true],
    ["6 implemented", wanted.filter((row) => row.state === "implemented").length, "stub", true],
    ["6 alike in the last run", wanted.filter((row) => row.alike === true).length, "differs", told(wanted.map((row) => row.alike))],
  ];
  const below = (row) => "/" + row.path.split("/")[1];
  for (const row of rows) {
    row.text = [row.method, row.path, row.original.place, row.original.endpoint, row.port?.route, row.port?.place, ...row.notes,
      row.decision?.reason, row.decision?.owner, ...row.original.guards.map(guard), ...(row.port?.guards ?? []).map(guard)].join("\n").toLowerCase();
  }

  const FILTERS = ["q", "state", "method", "below"];
  const state = { q: "", state: "", method: "", below: "" };
  const distinct = (values) => [...new Set(values)].sort();
  const options = (id, pairs) => {
    const select = byId(id);
    select.append(new Option("all", ""), ...pairs.map(([value, name]) => new Option(seen(name), value)));
    if (pairs.length < 2) select.closest("label").hidden = true;
  };
  options("state", Object.entries(STATES).map(([key, [name, fits]]) => [key, name, rows.filter(fits).length])
    .filter(([, , count]) => count).map(([key, name, count]) => [key, `${name} (${count})`]));
  options("method", distinct(rows.map((row) => row.method)).map((each) => [each, each]));
  options("below", distinct(rows.map(below)).map((each) => [each, each]));

  const readPlace = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const key of FILTERS) {
      byId(key).value = given.get(key) ?? "";
      state[key] = byId(key).value;
    }
  };
  const writePlace = () => history.replaceState(null, "", "#" + new URLSearchParams(Object.entries(state).filter(([, value]) => value)));
  const fits = (row) => (!state.state || STATES[state.state][1](row)) && (!state.method || row.method === state.method) &&
    (!state.below || below(row) === state.below) && state.q.toLowerCase().split(/\s+/).every((word) => row.text.includes(word));

  const cell = (name, text, className) => { const made = make("td", className, text); made.dataset.name = name; return made; };
  const answer = (value) => value === null || value === "?" ? ["?", "unknown"] : value ? ["yes", "yes"] : ["no", "no"];
  const statuses = (row) => Object.entries(row.statuses).map(([status, count]) => `${status}: ${count}`).join(", ");
  const port = (row) => row.port ? row.port.route.slice(row.method.length + 1) : row.decision ? `decided: ${row.decision.reason} (${row.decision.owner})` : "-";
  const marksOf = (row) => [
    row.unguarded && ["no guard in the port", "bad"], row.missing && ["no port, no decision", "bad"],
    row.alike === false && ["different", "bad"], row.state === "stub" && ["stub", ""],
  ].filter(Boolean);
  const details = (row) => {
    const list = make("dl");
    const say = (name, ...values) => values.filter(Boolean).forEach((value, at) => put(list, make("dt", "", at ? "" : name), make("dd", "mono", value)));
    say("original", row.original.place, row.original.endpoint && `endpoint ${row.original.endpoint}`);
    say("guards", ...(row.original.guards.length ? row.original.guards.map(guard) : ["none"]));
    if (row.port) {
      say("port", row.port.place, row.port.endpoint && `endpoint ${row.port.endpoint}`);
      say("guards there", ...(row.port.guards.length ? row.port.guards.map(guard) : ["none"]));
    }
    say("statuses", statuses(row));
    say("by itself", row.original.automatic.join(", "));
    if (row.decision) say("decision", `${row.decision.reason} (${row.decision.owner})`);
    say("notes", ...row.notes);
    return list;
  };
  const line = (row) => {
    const made = make("tr", row.unguarded || row.missing || row.alike === false ? "bad" : isDone(row) ? "done" : row.state === "stub" ? "warn" : "");
    const head = make("th", "route");
    head.scope = "row";
    const button = make("button", "", `${row.method} ${row.path}`);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    put(head, button, put(make("div", "marks"), ...marksOf(row).map(([text, kind]) => make("span", `mark ${kind}`, text))));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      if (!open) { made.nextSibling.remove(); return; }
      const inside = make("td", "wide");
      inside.colSpan = 7;
      made.after(put(make("tr", "inside"), put(inside, details(row))));
    });
    const [alike, how] = answer(row.alike);
    const [done, doneHow] = row.state === "implemented" ? ["yes", "yes"] : row.state === "stub" ? ["stub", "no"] : row.state === "?" ? ["?", "unknown"] : ["-", "not"];
    return put(made, head,
      cell("cases", row.cases === null ? "?" : row.cases || "-", row.cases === null ? "unknown" : row.cases ? "yes" : "not"),
      cell("port", port(row), row.port ? "mono wide" : "not wide"),
      cell("globals", row.globals, row.globals ? "no" : "yes"),
      cell("models", row.models.join(", ") || "-", row.models.length ? "yes" : "not"),
      cell("implemented", done, doneHow), cell("alike", alike, how));
  };

  let kept = [];
  let shown = 0;
  const show = () => {
    const body = byId("list").querySelector("tbody");
    body.append(...kept.slice(shown, shown + STEP).map(line));
    shown = Math.min(kept.length, shown + STEP);
    byId("more").hidden = shown >= kept.length;
  };
  const draw = () => {
    kept = rows.filter(fits);
    shown = 0;
    byId("count").textContent = `${kept.length} of ${plural(rows.length, "route")}`;
    const heads = ["route", "1 cases", "2 port", "3, 4 globals", "5 models", "6 implemented", "6 alike"];
    byId("list").replaceChildren();
    if (kept.length) {
      put(byId("list"), put(make("table"), put(make("thead"), put(make("tr"), ...heads.map((name) => { const head = make("th", "", name); head.scope = "col"; return head; }))), make("tbody")));
      show();
    }
    for (const button of document.querySelectorAll("#steps button")) button.setAttribute("aria-pressed", String(button.dataset.state === state.state));
  };
  const choose = (key, value) => { state[key] = value; byId(key).value = value; writePlace(); draw(); };

  put(byId("fails"), ...board.fails.map((each) => make("li", "", each)));
  for (const [name, count, key, known] of STEPS) {
    const button = make("button");
    button.type = "button";
    button.dataset.state = key;
    const bar = make("progress");
    bar.max = Math.max(1, wanted.length);
    bar.value = known ? count : 0;
    bar.setAttribute("aria-label", name);
    const number = put(make("span", "number"), make("b", "", known ? count : "?"), ` of ${wanted.length}`);
    put(button, make("span", "name", name), number, bar);
    button.title = `show: ${STATES[key][0]}`;
    button.addEventListener("click", () => choose("state", state.state === key ? "" : key));
    put(byId("steps"), put(make("li"), button));
  }
  const unguarded = rows.filter((row) => row.unguarded);
  if (unguarded.length) {
    put(byId("findings"), make("h2", "", `Security: ${plural(unguarded.length, "route")} guarded in the original, and by nothing in the port`));
    for (const row of unguarded) {
      put(byId("findings"), put(make("div", "finding"), make("h3", "", `${row.method} ${row.path}`),
        make("p", "", `guarded by ${row.original.guards.map(guard).join("; ")}`), make("p", "", `port: ${row.port.place}`)));
    }
  }
  const rest = (title, lines) => { if (lines.length) put(byId("rest"), make("h2", "", title), put(make("ul", "plain"), ...lines.map((each) => make("li", "", each)))); };
  rest("Only in the port", board.only_in_port.map((each) => `${each.route}  ${each.place}`));
  for (const [side, places] of Object.entries(board.not_told)) rest(`Not told by the ${side}'s source`, places);
  rest("Not read", board.unreadable);
  if (board.report) {
    const link = make("a", "", "The last parity run");
    link.href = board.report;
    put(byId("rest"), put(make("p"), link));
  }

  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", (event) => { event.preventDefault(); for (const key of FILTERS) state[key] = byId(key).value = ""; writePlace(); draw(); });
  byId("q").addEventListener("input", () => choose("q", byId("q").value));
  for (const key of ["state", "method", "below"]) byId(key).addEventListener("change", () => choose(key, byId(key).value));
  byId("more").addEventListener("click", show);
  addEventListener("hashchange", () => { readPlace(); draw(); });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) { event.preventDefault(); byId("q").focus(); }
  });
  readPlace();
  draw();
  document.body.dataset.ready = "yes";
})();
