"use strict";
(() => {
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const viewport = byId("viewport"), drawing = byId("drawing"), layers = byId("layers");
const rows = [...layers.tBodies[0].rows];
const rowOf = new Map(rows.map((row) => [Number(row.dataset.node), row]));

// Light and dark: what the reader's system has, until the button says otherwise.
const system = matchMedia("(prefers-color-scheme: dark)");
const setTheme = (dark) => {
  root.dataset.theme = dark ? "dark" : "light";
  byId("theme").setAttribute("aria-pressed", String(dark));
};
setTheme(system.matches);
system.addEventListener("change", () => setTheme(system.matches));
byId("theme").addEventListener("click", () => setTheme(root.dataset.theme !== "dark"));

// The drawing: one of those that the page holds is shown at a time.
const drawings = new Map([[drawing.dataset.view, drawing.firstElementChild]]);
const pan = Panzoom(drawing, {canvas: true, minScale: 0.05, maxScale: 8, step: 0.35, overflow: "clip", cursor: "grab", handleStartEvent: () => {}});
const READABLE = 0.9;
let boxesOf = new Map();

const numbers = (text) => text.split(" ").flatMap((part) => {
  const [first, last = first] = part.split("-").map(Number);
  return Array.from({length: last - first + 1}, (_, at) => first + at);
});

function drawingOf(key) {
  if (!drawings.has(key)) {
    drawings.set(key, document.importNode(byId("view-" + key).content, true).firstElementChild);
  }
  return drawings.get(key);
}

function findBoxes() {
  boxesOf = new Map();
  for (const box of drawing.querySelectorAll("[data-nodes]")) {
    for (const node of numbers(box.dataset.nodes)) {
      if (!boxesOf.has(node)) boxesOf.set(node, []);
      boxesOf.get(node).push(box);
    }
  }
}

function fit() {
  const room = {width: viewport.clientWidth, height: viewport.clientHeight}, svg = drawing.firstElementChild;
  const width = svg.width.baseVal.value, height = svg.height.baseVal.value;
  const whole = Math.min(room.width / width, room.height / height);
  // What would be too small to read is shown from its top, as wide as there is room.
  const scale = Math.min(1.3, whole > 0.75 ? whole : Math.max(whole, Math.min(READABLE, room.width / width)));
  pan.zoom(scale, {force: true});
  const top = height * scale < room.height ? (room.height - height * scale) / 2 : 0;
  pan.pan((room.width / 2 - width / 2) / scale, (top - height / 2) / scale + height / 2, {force: true});
}

// Brings a box or frame into sight; `always` puts it in the middle, large enough to read.
function reveal(element, always) {
  const width = viewport.clientWidth, height = viewport.clientHeight, svg = drawing.firstElementChild;
  const middle = [svg.width.baseVal.value / 2, svg.height.baseVal.value / 2], box = element.getBBox();
  let scale = pan.getScale();
  if (always && scale < READABLE) {
    scale = Math.max(scale, Math.min(READABLE, (width - 20) / box.width));
    pan.zoom(scale, {force: true});
  }
  const moved = pan.getPan();
  const left = middle[0] + scale * (box.x + moved.x - middle[0]), top = middle[1] + scale * (box.y + moved.y - middle[1]);
  const inside = left >= 0 && top >= 0 && left + scale * box.width <= width && top + scale * box.height <= height;
  if (inside && !always) return;
  const tall = scale * box.height > height, up = tall ? (20 - middle[1]) / scale + middle[1] - box.y : (height / 2 - middle[1]) / scale + middle[1] - box.y - box.height / 2;
  pan.pan((width / 2 - middle[0]) / scale + middle[0] - box.x - box.width / 2, up, {force: true});
}

function show(key, part) {
  drawing.replaceChildren(drawingOf(key));
  drawing.dataset.view = key;
  const level = document.querySelector(`input[name=level][value="${key}"]`) || document.querySelector("input[name=level]");
  level.checked = true;
  findBoxes();
  markHits();
  const at = part === undefined ? null : drawing.querySelector(`[data-part="${part}"]`);
  if (at) {
    at.focus({preventScroll: true});
    reveal(at, true);
  } else {
    fit();
  }
}

// What is marked, in the drawing and in the table.
let marked = [];
function mark(nodes) {
  for (const one of marked) one.classList.remove("marked");
  marked = nodes.flatMap((node) => [...(boxesOf.get(node) || []), ...(rowOf.has(node) ? [rowOf.get(node)] : [])]);
  for (const one of marked) one.classList.add("marked");
}

const order = (row, column) => Number(row.cells[column].dataset.order);
const sum = (some, column) => some.reduce((all, row) => all + Math.max(0, order(row, column)), 0).toLocaleString("en");

function tell(nodes) {
  const some = nodes.map((node) => rowOf.get(node)).filter(Boolean);
  const said = (row, column) => row.cells[column].textContent.trim();
  let words = "";
  if (some.length === 1) {
    const costs = [[3, "parameters"], [4, "MACs"]].filter(([column]) => said(some[0], column)).map(([column, name]) => `${said(some[0], column)} ${name}`);
    words = [`${said(some[0], 0)}: ${said(some[0], 1)}`, said(some[0], 2), ...costs].join("; ");
  } else if (some.length) {
    words = `${some.length} layers, ${said(some[0], 0)} to ${said(some[some.length - 1], 0)}; ${sum(some, 3)} parameters, ${sum(some, 4)} MACs`;
  }
  byId("detail").textContent = words;
}

const boxAt = (event) => event.target.closest ? event.target.closest("#drawing [data-nodes]") : null;
const look = (event) => {
  const box = boxAt(event), nodes = box ? numbers(box.dataset.nodes) : [];
  mark(nodes);
  if (box) tell(nodes);
};
drawing.addEventListener("pointerover", look);
drawing.addEventListener("pointerleave", () => mark([]));
drawing.addEventListener("focusin", (event) => {
  look(event);
  if (event.target.matches(":focus-visible")) reveal(event.target, false);
});

let pressed = null;
viewport.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; });
const turn = (target) => show(target.dataset.view, target.dataset.part);
drawing.addEventListener("click", (event) => {
  if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 5) return;
  const target = event.target.closest("[data-view]"), box = boxAt(event);
  if (target && target !== drawing) {
    turn(target);
  } else if (box) {
    const row = rowOf.get(numbers(box.dataset.nodes)[0]);
    if (row) row.scrollIntoView({block: "nearest"});
  }
});

const STEPS = {ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80]};
viewport.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target.closest("#drawing [data-view]:not(#drawing)");
  const step = STEPS[event.key], scale = pan.getScale();
  if (target && (event.key === "Enter" || event.key === " ")) turn(target);
  else if (step) pan.pan(step[0] / scale, step[1] / scale, {relative: true});
  else if (event.key === "+" || event.key === "=") pan.zoomIn();
  else if (event.key === "-") pan.zoomOut();
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
});

viewport.addEventListener("wheel", (event) => {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    pan.zoomWithWheel(event, {step: 0.12});
    return;
  }
  // A wheel moves the drawing as far as it goes, and the page from there on.
  const room = viewport.getBoundingClientRect(), at = drawing.getBoundingClientRect();
  const more = event.deltaY > 0 ? at.bottom > room.bottom : at.top < room.top;
  if (!more && !event.deltaX) return;
  event.preventDefault();
  pan.pan(-event.deltaX / pan.getScale(), more ? -event.deltaY / pan.getScale() : 0, {relative: true});
}, {passive: false});

byId("larger").addEventListener("click", () => pan.zoomIn());
byId("smaller").addEventListener("click", () => pan.zoomOut());
byId("fit").addEventListener("click", fit);
byId("wide").addEventListener("click", (event) => {
  const wide = byId("workspace").classList.toggle("wide");
  event.currentTarget.setAttribute("aria-pressed", String(wide));
  fit();
});
byId("levels").addEventListener("change", (event) => show(event.target.value));

// The table: sorted and filtered by DataTables; one row is in the order of tabs, arrows lead to the others.
const table = new DataTable(layers, {paging: false, info: false, autoWidth: false, order: [], layout: {topStart: null, topEnd: null, bottomStart: null, bottomEnd: null}, language: {zeroRecords: "No layer is like that."}});
const shownRows = () => [...layers.tBodies[0].rows].filter((row) => row.dataset.node);
let current = null;
function enter(row) {
  if (current) current.removeAttribute("tabindex");
  current = row;
  if (row) row.tabIndex = 0;
}
table.on("draw", () => enter(shownRows()[0] || null));
layers.tBodies[0].addEventListener("pointerover", (event) => {
  const row = event.target.closest("tr[data-node]");
  mark(row ? [Number(row.dataset.node)] : []);
});
layers.tBodies[0].addEventListener("pointerleave", () => mark([]));
layers.tBodies[0].addEventListener("focusin", (event) => {
  const row = event.target.closest("tr[data-node]");
  if (row) mark([Number(row.dataset.node)]);
});
layers.tBodies[0].addEventListener("keydown", (event) => {
  if (!event.target.matches("tr")) return;
  const all = shownRows(), at = all.indexOf(event.target);
  const next = {ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all[all.length - 1]}[event.key];
  if (next) {
    enter(next);
    next.focus();
  } else if (event.key === "Enter") {
    find(Number(event.target.dataset.node));
  } else {
    return;
  }
  event.preventDefault();
});
layers.tBodies[0].addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-node]");
  if (row && !event.target.closest("a")) find(Number(row.dataset.node));
});

function find(node) {
  mark([node]);
  tell([node]);
  const box = (boxesOf.get(node) || [])[0];
  if (box) reveal(box, true);
}

// Search: the table shows what is found, and the drawing marks it.
let hits = [], hitBoxes = [], turnOf = -1;
function markHits() {
  for (const box of hitBoxes) box.classList.remove("hit");
  hitBoxes = hits.flatMap((node) => boxesOf.get(node) || []);
  for (const box of hitBoxes) box.classList.add("hit");
}
function search() {
  const words = byId("search").value, kind = byId("kind").value;
  table.column(1).search(kind ? `^${kind} ` : "", {regex: true, smart: false});
  table.search(words).draw();
  const found = shownRows().map((row) => Number(row.dataset.node)), asked = words.trim() || kind;
  hits = asked ? found : [];
  turnOf = -1;
  byId("found").textContent = asked ? `${found.length} of ${rows.length} rows` : "";
  markHits();
}
function next() {
  const among = hits.length ? hits : shownRows().map((row) => Number(row.dataset.node));
  if (!among.length) return;
  turnOf = (turnOf + 1) % among.length;
  find(among[turnOf]);
  rowOf.get(among[turnOf]).scrollIntoView({block: "nearest"});
}
byId("search").addEventListener("input", search);
byId("search").addEventListener("keydown", (event) => { if (event.key === "Enter") next(); });
byId("kind").addEventListener("change", search);
byId("next").addEventListener("click", next);

// The chart: shares of the whole by part, read from the table below it.
const MOST_BARS = 40, LONGEST = 30;
function chart() {
  const shares = (row) => [1, 2, 3].map((column) => Number(row.cells[column].dataset.share || 0));
  let bars = [...byId("parts").tBodies[0].rows].map((row) => ({name: row.cells[0].textContent, shares: shares(row)}));
  bars = bars.filter((bar) => bar.shares.some((share) => share > 0));
  if (bars.length > MOST_BARS) {
    const least = bars.map((bar) => Math.max(...bar.shares)).sort((a, b) => b - a)[MOST_BARS - 1];
    const small = bars.filter((bar) => Math.max(...bar.shares) < least);
    bars = bars.filter((bar) => Math.max(...bar.shares) >= least);
    bars.push({name: `${small.length} others`, shares: [0, 1, 2].map((at) => small.reduce((all, bar) => all + bar.shares[at], 0))});
  }
  const labels = bars.map((bar) => bar.name.length > LONGEST ? bar.name.slice(0, LONGEST - 1) + "…" : bar.name);
  // Chartist reverses the order of series with that of the bars.
  const series = ["params", "macs", "bytes"].map((name, at) => ({name, className: name, data: bars.map((bar) => bar.shares[at])}));
  const drawn = new Chartist.BarChart("#chart", {labels, series}, {
    horizontalBars: true, reverseData: true, seriesBarDistance: 8, height: bars.length * 32 + 40,
    chartPadding: {top: 5, right: 30, bottom: 5, left: 5},
    axisX: {low: 0, scaleMinSpace: 60, labelInterpolationFnc: (value) => value + " %"}, axisY: {offset: 170, showGrid: false},
  });
  // So that it shrinks with the page that it is printed on.
  drawn.on("created", ({svg}) => svg.attr({viewBox: `0 0 ${svg.width()} ${svg.height()}`}));
}
chart();

// The spec: a line and what it expands to are marked together, and lead to each other.
const lines = new Map();
for (const line of document.querySelectorAll("#expanded [data-lines]")) {
  for (const key of line.dataset.lines.split(" ")) {
    if (!lines.has(key)) lines.set(key, []);
    lines.get(key).push(line);
  }
}
let together = [];
function pair(line) {
  for (const one of together) one.classList.remove("marked");
  const keys = line ? line.dataset.lines.split(" ") : [];
  const others = line && line.closest("#written") ? keys.flatMap((key) => lines.get(key) || []) : keys.map((key) => byId("line-" + key));
  together = line ? [line, ...others.filter(Boolean)] : [];
  for (const one of together) one.classList.add("marked");
}
for (const pane of document.querySelectorAll(".pane")) {
  pane.addEventListener("pointerover", (event) => pair(event.target.closest("[data-lines]")));
  pane.addEventListener("pointerleave", () => pair(null));
  pane.addEventListener("focusin", (event) => pair(event.target.closest("[data-lines]")));
  pane.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const target = byId(link.hash.slice(1)), other = target.closest(".pane");
    other.scrollTop += target.getBoundingClientRect().top - other.getBoundingClientRect().top - other.clientHeight / 3;
    target.querySelector("a").focus({preventScroll: true});
    pair(link.closest("[data-lines]"));
  });
}

findBoxes();
enter(shownRows()[0] || null);
// Panzoom sets its own start after this script has run; what fits comes after that.
setTimeout(() => {
  fit();
  root.dataset.ready = String(Math.round(performance.now()));
});
})();
