// The ranking browser: all queries as a sorted, searchable list in pages; one of them open with its ranks.
// Every text reaches the page as a text node or attribute value, never as markup: names of files are not ours.
"use strict";
(() => {
  const PAGE_ROWS = 50;
  const { prefix, images, queries } = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const section = $("rankings");

  const image = (q) => queries.image[q];
  const baseName = (name) => name.slice(name.lastIndexOf("/") + 1);
  const fixed = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const alpha = (i) => (images.weight[i] === null ? null : 1 - images.weight[i]);
  const percent = (q) => (queries.ap[q] === null ? null : 100 * queries.ap[q]);
  const whole = (value) => (value === null ? "–" : String(value));
  const person = (i) => (images.distractor[i] ? "distractor" : `pid ${images.pid[i]}`);
  const rightRanks = (q) => [...queries.right[q]].flatMap((mark, rank) => (mark === "1" ? [rank + 1] : []));

  // key: what a column is sorted by (null always last); text: what it shows.
  const COLUMNS = [
    { id: "name", label: "Query", key: (q) => images.id[image(q)] },
    { id: "pid", label: "pid", key: (q) => images.pid[image(q)], text: (q) => whole(images.pid[image(q)]) },
    { id: "camera", label: "Camera", key: (q) => images.camid[image(q)], text: (q) => whole(images.camid[image(q)]) },
    { id: "ap", label: "AP %", key: (q) => queries.ap[q], text: (q) => fixed(percent(q), 1) },
    { id: "first", label: "First right rank", key: (q) => queries.first_rank[q], text: (q) => whole(queries.first_rank[q]) },
    { id: "q", label: "Q", key: (q) => images.q[image(q)], text: (q) => fixed(images.q[image(q)], 4) },
    { id: "alpha", label: "Alpha", key: (q) => alpha(image(q)), text: (q) => fixed(alpha(image(q)), 3) },
    { id: "weight", label: "Visual weight", key: (q) => images.weight[image(q)], text: (q) => fixed(images.weight[image(q)], 3) },
  ];
  const state = { sort: "name", down: false, search: "", page: 0, current: null, order: [] };

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  function picture(i, alt, lazy = true) {
    return element("img", { src: prefix + images.src[i], alt, loading: lazy && "lazy", decoding: "async", title: images.id[i] });
  }

  function showNameOfBroken(event) {
    const img = event.target;
    if (!(img instanceof HTMLImageElement) || !section.contains(img)) return;
    img.replaceWith(element("span", { class: "missing", role: "img", "aria-label": img.alt }, img.title));
  }

  // Which queries are listed, in which order.

  function matches(q, terms) {
    const i = image(q);
    return terms.every((term) => {
      const exact = /^(pid|camera):(-?\d+)$/.exec(term);
      if (exact) return (exact[1] === "pid" ? images.pid[i] : images.camid[i]) === Number(exact[2]);
      return images.id[i].toLowerCase().includes(term);
    });
  }

  const collator = new Intl.Collator("en", { numeric: true });

  function compare(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    const ascending = typeof a === "string" ? collator.compare(a, b) : a - b;
    return state.down ? -ascending : ascending;
  }

  function arrange() {
    const terms = state.search.toLowerCase().replace(/\b(pid|camera)[:\s]\s*(?=-?\d)/g, "$1:").split(/\s+/).filter(Boolean);
    const key = COLUMNS.find((column) => column.id === state.sort).key;
    const keys = queries.image.map((_, q) => key(q));
    state.order = keys.map((_, q) => q).filter((q) => matches(q, terms)).sort((a, b) => compare(keys[a], keys[b]) || a - b);
    for (const node of $("viewer").querySelectorAll("[data-step]")) node.disabled = !canStep(Number(node.dataset.step));
  }

  function sortBy(id, down) {
    Object.assign(state, { sort: id, down, page: 0 });
    arrange();
    drawHeadings();
    drawList();
  }

  // The list.

  function drawHeadings() {
    const headings = COLUMNS.map((column) => {
      const active = column.id === state.sort;
      const direction = active ? (state.down ? "descending" : "ascending") : null;
      const button = element("button", { type: "button", "data-sort": column.id, onclick: () => sortBy(column.id, active && !state.down) }, column.label);
      if (active) button.append(element("span", { "aria-hidden": "true" }, state.down ? " ↓" : " ↑"));
      return element("th", { scope: "col", class: column.id, "aria-sort": direction }, button);
    });
    const focused = document.activeElement?.dataset?.sort;
    const thumb = element("th", { scope: "col" }, element("span", { class: "hidden" }, "Picture"));
    $("headings").replaceChildren(thumb, ...headings, element("th", { scope: "col", class: "marks" }, "Ranks"));
    if (focused) $("headings").querySelector(`[data-sort="${focused}"]`).focus();
    $("sort").value = state.sort;
    $("direction").textContent = state.down ? "Descending ↓" : "Ascending ↑";
  }

  function marks(q) {
    const ranks = rightRanks(q);
    const said = ranks.length ? `right at rank ${ranks.join(", ")}` : `none right among the first ${queries.right[q].length}`;
    const signs = [...queries.right[q]].map((mark) => (mark === "1" ? "●" : "·")).join("");
    return element("span", { role: "img", "aria-label": said, title: said }, signs);
  }

  function row(q) {
    const i = image(q);
    const excluded = queries.n_relevant[q] === 0;
    const link = element("a", { href: `#q=${encodeURIComponent(images.id[i])}` }, images.id[i]);
    const name = element("th", { scope: "row", class: "name" }, link, ...(excluded ? [element("span", { class: "excluded" }, "excluded")] : []));
    const cells = COLUMNS.slice(1).map((column) => element("td", { class: column.id, "data-label": column.label }, column.text(q)));
    const thumb = element("td", { class: "thumb" }, picture(i, ""));
    const current = q === state.current ? "true" : null;
    return element("tr", { "data-q": q, "aria-current": current }, thumb, name, ...cells, element("td", { class: "marks" }, marks(q)));
  }

  function drawList() {
    const pages = Math.max(1, Math.ceil(state.order.length / PAGE_ROWS));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const start = state.page * PAGE_ROWS;
    const shown = state.order.slice(start, start + PAGE_ROWS);
    $("rows").replaceChildren(...shown.map(row));
    const all = state.order.length === queries.image.length ? "" : ` of ${queries.image.length} in all`;
    $("status").textContent = shown.length ? `${start + 1} to ${start + shown.length} of ${state.order.length} queries${all}` : "No query matches.";
    $("back").disabled = state.page === 0;
    $("forward").disabled = state.page === pages - 1;
    $("list").scrollTop = 0;
  }

  // The open query.

  const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
  const who = (i) => element("p", { class: "who" }, person(i), element("br"), `camera ${whole(images.camid[i])}`);

  function rank(q, place) {
    const i = queries.gallery[q][place];
    const right = queries.right[q][place] === "1";
    const word = right ? "right" : "wrong";
    const facts = element("dl", {}, fact("dist.", fixed(queries.distance[q][place], 3)), fact("Q", fixed(images.q[i], 4)), fact("alpha", fixed(alpha(i), 3)));
    const badge = element("p", { class: "badge" }, element("b", {}, String(place + 1)), ` ${right ? "✓" : "✗"} ${word}`);
    return element("li", { class: word }, badge, picture(i, `rank ${place + 1}, ${word}: ${images.id[i]}`, false), facts, who(i));
  }

  function summary(q) {
    const first = queries.first_rank[q];
    if (queries.n_relevant[q] === 0) return "Excluded from the metrics: the gallery holds no right image for it.";
    return `${queries.n_relevant[q]} right in the gallery, the first at rank ${first}. AP ${fixed(percent(q), 1)} %.`;
  }

  function canStep(by) {
    const place = state.order.indexOf(state.current);
    return place < 0 || state.order[place + by] !== undefined;
  }

  function step(label, by) {
    return element("button", { type: "button", "data-step": by, onclick: () => move(by), disabled: !canStep(by) }, label);
  }

  function drawViewer() {
    const q = state.current;
    const i = image(q);
    const viewer = $("viewer");
    const focused = document.activeElement?.dataset?.step;
    const badge = element("p", { class: "badge" }, element("b", {}, "Query"));
    const facts = element("dl", {}, fact("Q", fixed(images.q[i], 4)), fact("alpha", fixed(alpha(i), 3)), fact("visual", fixed(images.weight[i], 3)));
    const query = element("div", { class: "query" }, badge, picture(i, `query: ${images.id[i]}`, false), facts, who(i));
    const ranks = element("ol", { tabindex: "0", "aria-label": "First ranks" }, ...queries.gallery[q].map((_, at) => rank(q, at)));
    const text = element("div", {}, element("h3", {}, baseName(images.id[i])), element("p", {}, summary(q)));
    const steps = element("div", { class: "steps" }, step("← Previous", -1), step("Next →", 1));
    viewer.replaceChildren(element("div", { class: "head" }, text, steps), element("div", { class: "strip" }, query, ranks));
    viewer.classList.toggle("out", queries.n_relevant[q] === 0);
    if (focused) viewer.querySelector(`[data-step="${focused}"]`).focus();
  }

  function mark() {
    for (const node of $("rows").children) {
      if (Number(node.dataset.q) === state.current) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    }
  }

  function open(q, focus) {
    state.current = q;
    const place = state.order.indexOf(q);
    const page = Math.floor(Math.max(place, 0) / PAGE_ROWS);
    if (place >= 0 && page !== state.page) {
      state.page = page;
      drawList();
    } else mark();
    drawViewer();
    history.replaceState(null, "", `#q=${encodeURIComponent(images.id[image(q)])}`);
    const node = $("rows").querySelector('[aria-current="true"]');
    if (!node) return;
    const list = $("list");
    const [top, bottom] = [node.offsetTop - $("headings").offsetHeight, node.offsetTop + node.offsetHeight];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    if (focus) node.querySelector("a").focus({ preventScroll: true });
  }

  function move(by, focus = false) {
    const place = state.order.indexOf(state.current);
    const next = state.order[place < 0 ? 0 : place + by];
    if (next !== undefined) open(next, focus);
  }

  function openHash() {
    if (!location.hash.startsWith("#q=")) return false;
    let name;
    try {
      name = decodeURIComponent(location.hash.slice(3));
    } catch {
      return false;
    }
    const q = queries.image.findIndex((i) => images.id[i] === name);
    if (q < 0) return false;
    if (!state.order.includes(q)) {
      state.search = $("search").value = "";
      arrange();
      drawList();
    }
    open(q, true);
    section.scrollIntoView();
    return true;
  }

  // Events.

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("large").open) return;
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    const active = document.activeElement;
    const letter = event.key.length === 1;
    if (!by || active?.matches("select, textarea") || (letter && active?.matches("input"))) return;
    if (!section.contains(active) && !(letter && active === document.body)) return;
    event.preventDefault();
    move(by, true);
  }

  function onRow(event) {
    const node = event.target.closest("tr[data-q]");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(Number(node.dataset.q), true);
    const box = $("viewer").getBoundingClientRect();
    if (box.top < 0) section.scrollIntoView();
  }

  function turn(by) {
    state.page += by;
    drawList();
  }

  document.addEventListener("error", showNameOfBroken, true);
  document.addEventListener("keydown", onKey);
  $("rows").addEventListener("click", onRow);
  $("search").addEventListener("input", (event) => {
    Object.assign(state, { search: event.target.value, page: 0 });
    arrange();
    drawList();
  });
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("sort").replaceChildren(...COLUMNS.map((column) => element("option", { value: column.id }, column.label)));
  $("sort").addEventListener("change", (event) => sortBy(event.target.value, false));
  $("direction").addEventListener("click", () => sortBy(state.sort, !state.down));
  $("back").addEventListener("click", () => turn(-1));
  $("forward").addEventListener("click", () => turn(1));
  window.addEventListener("hashchange", openHash);
  arrange();
  drawHeadings();
  drawList();
  if (!openHash()) {
    state.current = state.order[0];
    mark();
    drawViewer();
  }
})();
