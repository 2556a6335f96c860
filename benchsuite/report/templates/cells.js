// Pictures of cells: vertices on a line from the inputs to the output, edges as arcs, operations as colours.
const OPERATION_COLOURS = [
  [/^none$/, null], [/skip|identity/, "var(--reference)"], [/avg_pool/, "var(--group-5)"], [/pool/, "var(--over)"],
  [/dil.*5x5/, "var(--group-3)"], [/dil/, "var(--group-4)"], [/5x5/, "var(--group-2)"], [/3x3/, "var(--accent)"],
  [/1x1/, "var(--ceiling)"],
];
const colourOf = (operation) => {
  const found = OPERATION_COLOURS.find(([pattern]) => pattern.test(operation));
  return found ? found[1] : "var(--ink)";
};

const edgesWithOperations = (text) => {
  if (!/^[\w~|+/]+$/.test(text) || !text.includes("~")) return null;
  const inputs = text.includes("/") ? 2 : 1;
  return text.split("/").map((cell) => {
    const groups = cell.split("+").map((group) => [...group.matchAll(/(\w+)~(\d+)/g)]);
    const edges = groups.flatMap((group, place) => group.map(([, operation, from]) => ({ from: Number(from), to: inputs + place, operation })));
    return { vertices: Array(inputs + groups.length).fill(""), edges };
  });
};
const verticesWithOperations = (text) => {
  const found = /^([\w,]*):(\d+-\d+(?:,\d+-\d+)*)$/.exec(text);
  if (!found) return null;
  const edges = found[2].split(",").map((edge) => edge.split("-").map(Number)).map(([from, to]) => ({ from, to, operation: "" }));
  return [{ vertices: ["", ...found[1].split(",").filter(Boolean), ""], edges }];
};
const cellsOf = (text) => edgesWithOperations(text) ?? verticesWithOperations(text);

const drawn = (name, attributes, parent) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach((pair) => made.setAttribute(...pair));
  parent?.append(made);
  return made;
};
const STEP = 34, MARGIN = 9, CELL_HEIGHT = 74;
const drawCell = (cell, svg, top) => {
  const x = (vertex) => MARGIN + vertex * STEP;
  const middle = top + 46;
  cell.edges.forEach(({ from, to, operation }) => {
    const colour = operation ? colourOf(operation) : "var(--muted)";
    if (colour === null) return;
    const [span, below] = [to - from, from % 2];
    const path = span === 1 ? `M${x(from)} ${middle}H${x(to)}`
      : `M${x(from)} ${middle}A${(span * STEP) / 2} ${8 + Math.min(span, 5) * 7} 0 0 ${below ? 0 : 1} ${x(to)} ${middle}`;
    drawn("path", { d: path, fill: "none", stroke: colour, "stroke-width": 2.5 }, svg);
  });
  cell.vertices.forEach((operation, vertex) => {
    const fill = operation ? colourOf(operation) ?? "var(--card)" : "var(--card)";
    drawn("circle", { cx: x(vertex), cy: middle, r: operation ? 7 : 4.5, fill, stroke: "var(--muted)" }, svg);
  });
};
/** An SVG of the architecture's cells, or null where its string is of no known kind. */
const picture = (architecture) => {
  const cells = cellsOf(architecture);
  if (!cells) return null;
  const width = 2 * MARGIN + STEP * (Math.max(...cells.map((cell) => cell.vertices.length)) - 1);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${CELL_HEIGHT * cells.length}`, role: "img", "aria-label": architecture });
  cells.forEach((cell, place) => drawCell(cell, svg, place * CELL_HEIGHT));
  return svg;
};
/** Names of the operations of some architectures, each beside its colour. */
const legend = (architectures) => {
  const cells = architectures.flatMap((each) => cellsOf(each) ?? []);
  const named = new Set(cells.flatMap((cell) => [...cell.vertices, ...cell.edges.map((edge) => edge.operation)]).filter(Boolean));
  const list = element("p", "", { className: "key" });
  [...named].sort().forEach((operation) => {
    const colour = colourOf(operation);
    const swatch = element("i");
    swatch.style.background = colour ?? "none";
    list.append(swatch, element("span", colour ? operation : `${operation} (not drawn)`));
  });
  return list;
};
all("table").forEach((table) => {
  const cells = all("td[data-architecture]", table);
  cells.forEach((cell) => {
    const svg = picture(cell.dataset.architecture);
    if (svg) cell.querySelector(".architecture").replaceChildren(svg);
    cell.title = cell.dataset.architecture;
  });
  if (cells.length) table.parentElement.after(legend(cells.map((cell) => cell.dataset.architecture)));
});
