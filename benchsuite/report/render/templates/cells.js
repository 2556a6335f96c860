// Pictures of architectures from what their space has drawn: cells with vertices on a line from the inputs to the
// output and edges as arcs, or chains of blocks in a row; kinds of operations as colours.
const KIND_COLOURS = {
  none: null, skip: "var(--reference)", "average pooling": "var(--group-5)", "max pooling": "var(--over)",
  "convolution 1x1": "var(--ceiling)", "convolution 3x3": "var(--accent)", "convolution 5x5": "var(--group-2)",
  "dilated convolution 3x3": "var(--group-4)", "dilated convolution 5x5": "var(--group-3)",
  "block 3x3": "var(--accent)", "block 5x5": "var(--over)", "block 7x7": "var(--ceiling)", other: "var(--ink)",
};
const colourOf = ({ kind }) => KIND_COLOURS[kind];

/** A drawing, from what many share: cells of vertices and edges, or stages of blocks; null for one that is not drawn. */
const unfolded = ({ items, shapes }, drawn) => {
  if (!drawn) return null;
  const [form, note, parts] = shapes[drawn[0]];
  const found = drawn.slice(1).map((number) => {
    if (number < 0) return null;
    const [name, kind, height, mark] = items[number];
    return { name, kind, height, mark };
  });
  const take = (number) => found.splice(0, number);
  if (form === "cells") {
    const cells = parts.map(([vertices, edges]) => ({ vertices: take(vertices),
      edges: take(edges.length).map((operation, place) => ({ from: edges[place][0], to: edges[place][1], operation })) }));
    return { form, note, cells };
  }
  return { form, note, stages: parts.map(([blocks, caption]) => ({ blocks: take(blocks), caption })) };
};

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
const CHAIN_WIDTH = 120, CHAIN_HEIGHT = 40, WIDEST = 6;
const drawStages = (stages, svg) => {
  const blocks = stages.flatMap((stage) => stage.blocks).length;
  const captioned = stages.some((stage) => stage.caption.length);
  stages.forEach((stage, place) => {
    const room = captioned ? CHAIN_WIDTH / stages.length : (CHAIN_WIDTH * stage.blocks.length) / blocks;
    const step = captioned ? Math.min(WIDEST, (0.9 * room) / stage.blocks.length) : CHAIN_WIDTH / blocks;
    const start = captioned ? place * room
      : stages.slice(0, place).reduce((sum, each) => sum + each.blocks.length, 0) * step;
    stage.blocks.forEach((block, number) => {
      const [x, width, height] = [start + number * step, 0.8 * step, block.height * (CHAIN_HEIGHT - 8)];
      drawn("rect", { x, y: CHAIN_HEIGHT - height, width, height, fill: colourOf(block) ?? "none" }, svg);
      if (block.mark) drawn("circle", { cx: x + width / 2, cy: CHAIN_HEIGHT - height - 4, r: 1.8, fill: "var(--ink)" }, svg);
    });
    stage.caption.forEach((line, number) => {
      drawn("text", { x: start, y: CHAIN_HEIGHT + 11 * (number + 1), fill: "var(--muted)", "font-size": 8 }, svg).textContent = line;
    });
  });
};
/** An SVG of a drawing, or null where there is none. */
const picture = (drawing, name) => {
  if (!drawing) return null;
  const size = drawing.form === "chain"
    ? [CHAIN_WIDTH, CHAIN_HEIGHT + 12 * Math.max(...drawing.stages.map((stage) => stage.caption.length))]
    : [2 * MARGIN + STEP * (Math.max(...drawing.cells.map((cell) => cell.vertices.length)) - 1), CELL_HEIGHT * drawing.cells.length];
  const svg = drawn("svg", { viewBox: `0 0 ${size.join(" ")}`, role: "img", "aria-label": name });
  if (drawing.form === "chain") drawStages(drawing.stages, svg);
  else drawing.cells.forEach((cell, place) => drawCell(cell, svg, place * CELL_HEIGHT));
  return svg;
};
/** Names of the operations or blocks of some drawings, each beside its colour. */
const legend = (drawings) => {
  const operations = drawings.flatMap((drawing) => (drawing.form === "chain" ? drawing.stages.flatMap((stage) => stage.blocks)
    : drawing.cells.flatMap((cell) => [...cell.vertices, ...cell.edges.map((edge) => edge.operation)]))).filter(Boolean);
  const colours = new Map(operations.map((operation) => [operation.name, colourOf(operation)]));
  const list = element("p", "", { className: "key" });
  [...colours].sort().forEach(([name, colour]) => {
    const [swatch, entry] = [element("i"), element("span", colour ? name : `${name} (not drawn)`)];
    swatch.style.background = colour ?? "none";
    entry.prepend(swatch);
    list.append(entry);
  });
  const notes = drawings.map((drawing) => drawing.note).sort((a, b) => b.length - a.length);
  if (notes[0]) list.append(element("span", notes[0]));
  return list;
};
all("script.drawings").forEach((script) => {
  const { architectures, ...shared } = JSON.parse(script.textContent);
  const drawings = new Map(architectures.map((name, place) => [name, unfolded(shared, shared.drawn[place])]));
  all("table", script.parentElement).forEach((table) => {
    const cells = all("td[data-architecture]", table);
    cells.forEach((cell) => {
      const svg = picture(drawings.get(cell.dataset.architecture), cell.dataset.architecture);
      if (svg) cell.querySelector(".architecture").replaceChildren(svg);
      cell.title = cell.dataset.architecture;
    });
    const shown = cells.map((cell) => drawings.get(cell.dataset.architecture)).filter(Boolean);
    if (shown.length) table.parentElement.after(legend(shown));
  });
});
