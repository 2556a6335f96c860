// Pictures of cells: vertices on a line from the inputs to the output, edges as arcs, operations as colours;
// pictures of chains of layers: blocks in a row.
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

const CHAIN_WIDTH = 120, CHAIN_HEIGHT = 40;
const KERNEL_COLOURS = { 3: "var(--accent)", 5: "var(--over)", 7: "var(--ceiling)" };
const MACRO_CODES = ["id", "33", "65"]; // by the digit of NAS-Bench-Macro, in the codes of SCARLET
const mobileChain = (codes) => {
  const step = CHAIN_WIDTH / codes.length;
  const blocks = codes.map(([expansion, kernel, excited], place) => ({ x: place * step, width: 0.8 * step, excited,
    ...(expansion === "i" ? { name: "identity", colour: "var(--reference)", height: 0.06 }
      : { name: `kernel ${kernel}`, colour: KERNEL_COLOURS[kernel], height: Number(expansion) / 6 }) }));
  const dots = blocks.some((block) => block.excited) ? "; dot: squeeze-excite" : "";
  return { blocks, captions: [], note: `low: expansion 3, high: 6${dots}` };
};
const stagesChain = (stages) => {
  const room = CHAIN_WIDTH / stages.length;
  const blocks = stages.flatMap(([, depth, width], stage) => {
    const step = Math.min(6, (0.9 * room) / depth);
    return Array.from({ length: depth }, (_, place) => ({ x: stage * room + place * step, width: 0.8 * step,
      name: "block", colour: "var(--accent)", height: Math.log2(width) / 10 }));
  });
  const captions = stages.map(([, depth, width, multiplier, groups], stage) => ({ x: stage * room,
    lines: [`${depth}×${width}`, ...(groups ? [`b${multiplier} g${groups}`] : [])] }));
  const inside = captions[0].lines.length > 1 ? "; b: width inside as a multiple, g: groups" : "";
  return { blocks, captions, note: `blocks×channels, more channels are higher${inside}` };
};
/** Blocks of an architecture of NAS-Bench-Macro, SCARLET or NDS; null for any other string. */
const chainOf = (text) => {
  if (/^[012]{8}$/.test(text)) return mobileChain([...text].map((digit) => MACRO_CODES[digit]));
  if (/^(id|[36][357]s?)(-(id|[36][357]s?)){18}$/.test(text)) return mobileChain(text.split("-"));
  const stages = text.split("/").map((part) => /^d(\d\d?)-w(\d{2,4})(?:-b(\d(?:\.\d+)?)-g(\d\d?))?$/.exec(part));
  return stages.length === 3 && stages.every(Boolean) ? stagesChain(stages) : null;
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
const drawChain = ({ blocks, captions }, svg) => {
  blocks.forEach(({ x, width, height, colour, excited }) => {
    const tall = height * (CHAIN_HEIGHT - 8);
    drawn("rect", { x, y: CHAIN_HEIGHT - tall, width, height: tall, fill: colour }, svg);
    if (excited) drawn("circle", { cx: x + width / 2, cy: CHAIN_HEIGHT - tall - 4, r: 1.8, fill: "var(--ink)" }, svg);
  });
  captions.forEach(({ x, lines }) => lines.forEach((line, place) => {
    drawn("text", { x, y: CHAIN_HEIGHT + 11 * (place + 1), fill: "var(--muted)", "font-size": 8 }, svg).textContent = line;
  }));
};
/** An SVG of the architecture's cells or blocks, or null where its string is of no known kind. */
const picture = (architecture) => {
  const [cells, chain] = [cellsOf(architecture), chainOf(architecture)];
  if (!cells && !chain) return null;
  const size = chain ? [CHAIN_WIDTH, CHAIN_HEIGHT + 12 * (chain.captions[0]?.lines.length ?? 0)]
    : [2 * MARGIN + STEP * (Math.max(...cells.map((cell) => cell.vertices.length)) - 1), CELL_HEIGHT * cells.length];
  const svg = drawn("svg", { viewBox: `0 0 ${size.join(" ")}`, role: "img", "aria-label": architecture });
  if (chain) drawChain(chain, svg);
  else cells.forEach((cell, place) => drawCell(cell, svg, place * CELL_HEIGHT));
  return svg;
};
/** Names of the operations or blocks of some architectures, each beside its colour. */
const legend = (architectures) => {
  const cells = architectures.flatMap((each) => cellsOf(each) ?? []);
  const chains = architectures.map(chainOf).filter(Boolean);
  const operations = cells.flatMap((cell) => [...cell.vertices, ...cell.edges.map((edge) => edge.operation)]).filter(Boolean);
  const colours = new Map([...operations.map((operation) => [operation, colourOf(operation)]),
    ...chains.flatMap((chain) => chain.blocks.map((block) => [block.name, block.colour]))]);
  const list = element("p", "", { className: "key" });
  [...colours].sort().forEach(([name, colour]) => {
    const [swatch, entry] = [element("i"), element("span", colour ? name : `${name} (not drawn)`)];
    swatch.style.background = colour ?? "none";
    entry.prepend(swatch);
    list.append(entry);
  });
  const notes = chains.map((chain) => chain.note).sort((a, b) => b.length - a.length);
  if (notes.length) list.append(element("span", notes[0]));
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
