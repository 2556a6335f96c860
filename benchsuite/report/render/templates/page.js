"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const element = (name, text = "", attributes = {}) => {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
};

// Sorting: a click on a heading; unknown values stay last in either order, the rows of the foot where they are.
const isKnown = (text) => text !== undefined && !["", "nan", "-inf", "inf"].includes(text);
const value = (row, column) => {
  const text = row.cells[column].dataset.value;
  return !isKnown(text) ? null : Number.isNaN(Number(text)) ? text : Number(text);
};
const compare = (a, b, sign) => {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
};
all("table.sortable").forEach((table) => {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
    const first = heading.classList.contains("number") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = heading.getAttribute("aria-sort") === first ? other : first;
    headings.forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(value(a, column), value(b, column), sign));
    table.tBodies[0].append(...rows);
  }));
});

// Tables as files: the values behind the rounded texts, the ends of intervals, the architectures of pictures.
const saveCsv = (name, rows) => {
  const quoted = (entry) => (/[",\n]/.test(entry) ? `"${entry.replaceAll('"', '""')}"` : entry);
  const text = rows.map((row) => row.map((entry) => quoted(String(entry))).join(",")).join("\n");
  const link = element("a", "", { href: URL.createObjectURL(new Blob([text + "\n"], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
const csvRows = (table) => {
  const body = [...table.tBodies[0].rows, ...(table.tFoot?.rows ?? [])];
  const known = (text) => (isKnown(text) ? text : "");
  const columns = [...table.tHead.rows[0].cells].flatMap((heading, place) => {
    const title = heading.textContent.trim();
    const cells = body.map((row) => row.cells[place]);
    const read = (suffix, each) => ({ title: title + suffix, values: cells.map((cell) => known(each(cell))) });
    const found = [read("", (cell) => cell.dataset.value)];
    if (cells.some((cell) => cell.dataset.low)) {
      found.push(read(" low", (cell) => cell.dataset.low), read(" high", (cell) => cell.dataset.high));
    }
    if (cells.some((cell) => cell.dataset.architecture)) found.push(read(" architecture", (cell) => cell.dataset.architecture));
    return found;
  });
  return [columns.map((each) => each.title), ...body.map((_, row) => columns.map((each) => each.values[row]))];
};
all("table.sortable").forEach((table) => {
  const button = element("button", "CSV", { type: "button", className: "save", title: "Download this table" });
  button.setAttribute("aria-label", `Download as CSV: ${table.caption.textContent.trim()}`);
  button.addEventListener("click", () => saveCsv(`${table.id}.csv`, csvRows(table)));
  table.parentElement.after(button);
});

// One filter for all tables and panels of a benchmark.
all(".filter").forEach((filter) => {
  const root = filter.closest("section");
  const families = JSON.parse(filter.dataset.families);
  const [search, select, status] = ["input", "select", "span"].map((name) => filter.querySelector(name));
  const shown = (name) => !(name in families) ||
    (name.toLowerCase().includes(search.value.trim().toLowerCase()) && (!select.value || families[name] === select.value));
  const apply = () => {
    all("table.sortable tbody tr", root).forEach((row) => { row.hidden = !shown(row.cells[0].dataset.value); });
    all("[data-estimator]", root).forEach((panel) => { panel.hidden = !shown(panel.dataset.estimator); });
    const names = Object.keys(families);
    const left = names.filter(shown).length;
    status.textContent = left === names.length ? `${left} estimators` : `${left} of ${names.length} estimators`;
  };
  [search, select].forEach((each) => each.addEventListener("input", apply));
  filter.hidden = false;
  apply();
});

// Tabs; without this script their panels are plain sections one below the other.
const openTab = (tab) => {
  all('[role="tab"]', tab.parentElement).forEach((each) => {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(each.getAttribute("aria-controls"));
    panel.hidden = !chosen;
    if (chosen) panel.dispatchEvent(new Event("opened"));
  });
};
all(".tabs").forEach((list) => {
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", `Views of ${list.closest("section").querySelector("h2").textContent}`);
  const tabs = all("button", list);
  tabs.forEach((tab) => {
    const panel = document.getElementById(tab.dataset.panel);
    Object.entries({ role: "tab", "aria-controls": panel.id }).forEach((pair) => tab.setAttribute(...pair));
    Object.entries({ role: "tabpanel", "aria-labelledby": tab.id }).forEach((pair) => panel.setAttribute(...pair));
    tab.addEventListener("click", () => {
      openTab(tab);
      history.replaceState(null, "", `#${panel.id}`);
    });
  });
  list.addEventListener("keydown", (event) => {
    const place = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const tab = tabs[(next + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
  });
  list.hidden = false;
  openTab(tabs[0]);
});
const addressed = () => {
  try {
    return document.getElementById(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return null; // a stray % in the address
  }
};
const openAddressed = () => {
  const target = addressed();
  const panel = target?.closest('[role="tabpanel"]');
  if (!panel) return;
  openTab(document.getElementById(panel.getAttribute("aria-labelledby")));
  target.scrollIntoView();
};
addEventListener("hashchange", openAddressed);
openAddressed();
let closed = []; // details that paper shows, and the screen after it does not
addEventListener("beforeprint", () => {
  closed = all("details:not([open])");
  closed.forEach((each) => { each.open = true; });
});
addEventListener("afterprint", () => closed.forEach((each) => { each.open = false; }));
