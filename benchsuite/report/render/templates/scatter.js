// Ranks of all architectures: unpacked when their tab is first opened, drawn on a canvas, moved through by hand.
const unpacked = async (text) => {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const start = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const n = content.architectures.length;
  const size = n * (1 + content.estimators.length);
  const ranks = new Uint32Array(size);
  for (let plane = 0; plane < 4; plane += 1) {
    for (let item = 0; item < size; item += 1) ranks[item] |= bytes[start + plane * size + item] << (8 * plane);
  }
  const names = ["truth", ...content.estimators];
  return { ...content, n, names, ranks: names.map((_, place) => ranks.subarray(place * n, (place + 1) * n)) };
};

const PADDING = 26; // around the dots, in pixels, for the words of the axes
const REACH = 24; // of a pointer, in pixels
const themed = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Where each architecture stands, in pixels; NaN where an estimator has not scored it. */
const placed = (data, across, up, width, height) => {
  const along = (ranks, room) => Float32Array.from(ranks, (rank) => rank
    ? PADDING + ((rank - 1) / Math.max(data.of - 1, 1)) * (room - 2 * PADDING) : NaN);
  return { x: along(data.ranks[across], width), y: along(data.ranks[up], height).map((y) => height - y) };
};

const drawAxes = (context, names, last, width, height) => {
  context.strokeStyle = themed("--reference");
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(PADDING, height - PADDING);
  context.lineTo(width - PADDING, PADDING);
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = themed("--muted");
  context.font = `12px ${themed("--font")}`;
  const across = (text, x, align) => { context.textAlign = align; context.fillText(text, x, height - 6); };
  const words = (text) => { across("1", PADDING, "center"); across(text, width / 2, "center"); across(last, width - PADDING, "right"); };
  words(`rank by ${names[0]}`);
  context.save();
  context.translate(16, height - PADDING);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(`rank by ${names[1]}`, (height - 2 * PADDING) / 2, 0);
  context.textAlign = "right";
  context.fillText(last, height - 2 * PADDING, 0);
  context.restore();
};

const drawDots = (context, data, at, wanted) => {
  const size = data.n > 4000 ? 2 : data.n > 600 ? 3 : 5;
  const colours = Array.from({ length: data.number_of_groups }, (_, group) => themed(`--group-${group + 1}`));
  for (let item = 0; item < data.n; item += 1) {
    context.globalAlpha = wanted && !data.architectures[item].includes(wanted) ? 0.07 : 0.75;
    context.fillStyle = colours[data.groups[item] - 1];
    context.fillRect(at.x[item] - size / 2, at.y[item] - size / 2, size, size);
  }
  context.globalAlpha = 1;
};

const terms = (pairs) => {
  const list = element("dl", "", { className: "terms" });
  pairs.forEach(([name, words]) => {
    const row = element("div");
    row.append(element("dt", name), element("dd", words));
    list.append(row);
  });
  return list;
};

/** What is known of one architecture: picture, string, ranks by all estimators. */
const describe = (data, item, across, up) => {
  const rank = (place) => data.ranks[place][item] ? data.ranks[place][item].toLocaleString("en") : "–";
  const architecture = data.architectures[item];
  const drawing = unfolded(data.drawings, data.drawings.drawn[item]);
  const svg = picture(drawing, architecture);
  const others = element("details");
  others.append(element("summary", "Its rank by every estimator"), terms(data.names.map((name, place) => [name, rank(place)])));
  const known = [`rank by ${data.names[across]}`, `rank by ${data.names[up]}`].map((name, place) => [name, rank([across, up][place])]);
  const facts = terms([...known, ["accuracy", `${data.truth[item]} %`], ["parameters", data.params[item]]]);
  return [...(svg ? [svg, legend([drawing])] : []), element("code", architecture), facts, others];
};

const showScatter = (figure, data) => {
  const canvas = figure.querySelector("canvas");
  const context = canvas.getContext("2d");
  const [across, up, find, chosen, status] = [".x", ".y", ".find", ".chosen", ".said"].map((name) => figure.querySelector(name));
  let [at, selected, kept] = [null, -1, false]; // what is kept stays when the pointer moves on, to its table beside
  const draw = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return;
    const scale = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [width * scale, height * scale];
    context.scale(scale, scale);
    at = placed(data, across.value, up.value, width, height);
    drawAxes(context, [data.names[across.value], data.names[up.value]], data.of.toLocaleString("en"), width, height);
    drawDots(context, data, at, find.value.trim());
    if (selected < 0) return;
    context.strokeStyle = themed("--ink");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(at.x[selected], at.y[selected], 7, 0, 2 * Math.PI);
    context.stroke();
  };
  const say = () => {
    const rank = (axis) => `rank ${data.ranks[axis.value][selected]} by ${data.names[axis.value]}`;
    status.textContent = `${rank(across)}, ${rank(up)}: ${data.architectures[selected]}`;
  };
  const select = (item) => {
    if (item < 0 || item === selected) return;
    selected = item;
    const opened = chosen.querySelector("details")?.open ?? false;
    chosen.replaceChildren(...describe(data, item, Number(across.value), Number(up.value)));
    chosen.querySelector("details").open = opened;
    say();
    draw();
  };
  const keep = (item) => {
    kept = true;
    select(item);
  };
  const nearest = (event) => {
    const frame = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let [best, found] = [REACH * REACH, -1];
    for (let item = 0; item < data.n; item += 1) {
      const distance = (at.x[item] - x) ** 2 + (at.y[item] - y) ** 2;
      if (distance < best) [best, found] = [distance, item];
    }
    return found;
  };
  const step = (event) => {
    if (event.key === "Escape") kept = false;
    const [axis, sign] = { ArrowRight: [across, 1], ArrowLeft: [across, -1], ArrowUp: [up, 1], ArrowDown: [up, -1],
      Home: [across, -Infinity], End: [across, Infinity] }[event.key] ?? [];
    if (!axis) return;
    event.preventDefault();
    const ranks = data.ranks[axis.value];
    const order = [...ranks.keys()].filter((item) => at.x[item] + at.y[item] > 0).sort((a, b) => ranks[a] - ranks[b] || a - b);
    const next = selected < 0 ? 0 : order.indexOf(selected) + sign;
    keep(order[Math.min(Math.max(next, 0), order.length - 1)]);
  };
  const changed = () => { const item = selected; selected = -1; select(item); draw(); };
  [across, up].forEach((axis, place) => {
    axis.append(...data.names.map((name, number) => new Option(name, number)));
    axis.value = place;
    axis.addEventListener("input", changed);
  });
  find.addEventListener("input", () => {
    const wanted = find.value.trim();
    draw();
    if (!wanted) return;
    const found = data.architectures.findIndex((name) => name.includes(wanted));
    if (found < 0) status.textContent = `No architecture contains ${wanted}`;
    else if (found === selected) say();
    else keep(found);
  });
  canvas.addEventListener("pointermove", (event) => { if (!kept) select(nearest(event)); });
  canvas.addEventListener("pointerdown", (event) => {
    const item = nearest(event);
    kept = item >= 0 && !(kept && item === selected);
    select(item);
  });
  canvas.addEventListener("keydown", step);
  figure.querySelector(".save").addEventListener("click", () => saveCsv("ranks.csv", [
    ["architecture", "accuracy", "params", ...data.names.map((name) => `rank by ${name}`)],
    ...data.architectures.map((name, item) => [name, data.truth[item], data.params[item], ...data.ranks.map((ranks) => ranks[item] || "")]),
  ]));
  // a small plot of the same tab chooses its estimator here
  all(".panels [data-estimator]", figure.closest(".tab")).forEach((panel) => {
    const choose = () => {
      up.value = data.names.indexOf(panel.dataset.estimator);
      changed();
      figure.scrollIntoView({ block: "nearest" });
    };
    const label = `Show the ranks by ${panel.dataset.estimator} above, architecture by architecture`;
    Object.entries({ role: "button", tabindex: "0", "aria-label": label }).forEach((pair) => panel.setAttribute(...pair));
    panel.addEventListener("click", choose);
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose();
    });
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
};

all(".scatter").forEach((figure) => {
  const tab = figure.closest(".tab");
  const prepare = async () => {
    showScatter(figure, await unpacked(figure.querySelector("script").textContent));
    figure.dataset.ready = "";
  };
  figure.hidden = false;
  if (tab.hidden) tab.addEventListener("opened", prepare, { once: true });
  else prepare();
});
