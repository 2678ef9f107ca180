// A hit beside an example: both pictures in one drawing, with lines between the places that are the same in both.
// Those that agree on where the thing lies are bright; the others are shown on request. What is drawn is asked for when
// somebody looks. Arrows walk, 1 to 9 choose an example, Escape closes.

const EVIDENCE = `
  <div class="bar-top">
    <span class="count"></span><div class="whose" role="group" aria-label="Compared with"></div>
    <button type="button" class="close" aria-label="Close">&#x2715;</button>
  </div>
  <div class="field"><svg class="scene" role="img"></svg></div>
  <button type="button" class="step back" aria-label="Previous">&#x2039;</button>
  <button type="button" class="step on" aria-label="Next">&#x203A;</button>
  <div class="bar-bottom">
    <p class="verdict" role="status" aria-live="polite"></p>
    <dl class="details"></dl>
    <div class="acts">
      <button type="button" class="act rest" aria-pressed="false">All matches<kbd>a</kbd></button>
      <button type="button" class="act unlike">Not this<kbd>n</kbd></button>
      <a class="act large" target="_blank" rel="noopener">Open</a>
      <button type="button" class="act more"><span></span><kbd>e</kbd></button>
    </div>
  </div>`;
const MARGIN = 0.12; // of the box, shown around it
const GAP_PX = 28;
const LEAST_ROOM = 0.28; // of the screen, for the example
const LARGEST = 8; // times its size, for an icon
const TINY_PX = 64;

// ---- where things lie

const WHOLE = [0, 0, 1, 1];

function cut(box) {
  const [x0, y0, x1, y1] = box ?? WHOLE;
  const [across, down] = [(x1 - x0) * MARGIN, (y1 - y0) * MARGIN];
  const [left, top, right, bottom] = [x0 - across, y0 - down, x1 + across, y1 + down].map((share) => clamp(share, 0, 1));
  return { left, top, width: right - left, height: bottom - top };
}

const ratioOfPart = (picture, part) => (picture.width * part.width) / (picture.height * part.height);

// two rooms side by side, or one above the other where the screen is upright; the example's is never the larger one
function roomsOf({ width, height }, ratios) {
  const [asked, found] = width < height ? ratios.map((ratio) => 1 / ratio) : ratios;
  const first = clamp(asked / (asked + found), LEAST_ROOM, 0.5);
  if (width < height) {
    const [above, below] = [(height - GAP_PX) * first, (height - GAP_PX) * (1 - first)];
    return [{ x: 0, y: 0, width, height: above }, { x: 0, y: above + GAP_PX, width, height: below }];
  }
  const [left, right] = [(width - GAP_PX) * first, (width - GAP_PX) * (1 - first)];
  return [{ x: 0, y: 0, width: left, height }, { x: left + GAP_PX, y: 0, width: right, height }];
}

function fit(picture, part, room) {
  const [width, height] = [picture.width * part.width, picture.height * part.height];
  const scale = Math.min(room.width / width, room.height / height, Math.max(picture.width, picture.height) <= TINY_PX ? LARGEST : Infinity);
  const [across, down] = [width * scale, height * scale];
  return { part, x: room.x + (room.width - across) / 2, y: room.y + (room.height - down) / 2, width: across, height: down };
}

const onto = ({ part, x, y, width, height }, [shareX, shareY]) => [
  x + ((shareX - part.left) / part.width) * width,
  y + ((shareY - part.top) / part.height) * height,
];

// ---- how it is drawn

function paneOf(picture, frame) {
  const { part, x, y, width, height } = frame;
  const seen = [part.left * picture.width, part.top * picture.height, part.width * picture.width, part.height * picture.height];
  const image = shape("image", { width: picture.width, height: picture.height, preserveAspectRatio: "none", href: picture.src });
  if (Math.max(picture.width, picture.height) <= TINY_PX) image.setAttribute("class", "tiny");
  return shape("svg", { x, y, width, height, viewBox: seen.join(" "), preserveAspectRatio: "none" }, image);
}

// cut where the picture ends
function outlineIn(frame, corners) {
  const { x, y, width, height } = frame;
  const points = corners.map((corner) => onto(frame, corner).join(",")).join(" ");
  return shape("svg", { class: "outlined", x, y, width, height, viewBox: [x, y, width, height].join(" ") }, ...edged("polygon", { points }));
}

const cornersOf = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

function linesOf(frames, lines, most) {
  return lines.map(([x0, y0, x1, y1, agrees, weight]) => {
    const [[ax, ay], [bx, by]] = [onto(frames[0], [x0, y0]), onto(frames[1], [x1, y1])];
    const strength = 0.45 + 0.55 * (weight / most);
    const ends = [[ax, ay], [bx, by]].flatMap(([cx, cy]) => edged("circle", { cx, cy, r: agrees ? 3.5 : 2.5 }));
    const line = edged("line", { x1: ax, y1: ay, x2: bx, y2: by });
    return shape("g", { class: agrees ? "agrees" : "differs", opacity: agrees ? strength : 1 }, ...line, ...ends);
  });
}

function drawing(pair, screen, all) {
  const parts = [cut(pair.asked.box), cut(WHOLE)];
  const rooms = roomsOf(screen, [ratioOfPart(pair.asked, parts[0]), ratioOfPart(pair.found, parts[1])]);
  const frames = [fit(pair.asked, parts[0], rooms[0]), fit(pair.found, parts[1], rooms[1])];
  const drawn = [paneOf(pair.asked, frames[0]), paneOf(pair.found, frames[1])];
  const { lines = [], outline } = pair.evidence ?? {};
  const most = Math.max(...lines.map((line) => line[5]), 1e-6);
  const shown = lines.filter((line) => all || line[4]).sort((a, b) => a[4] - b[4]); // what agrees lies above
  drawn.push(...linesOf(frames, shown, most));
  if (pair.asked.box) drawn.push(outlineIn(frames[0], cornersOf(pair.asked.box)));
  if (outline) drawn.push(outlineIn(frames[1], outline));
  return drawn;
}

function verdictOf({ evidence, refusal }) {
  if (refusal) return refusal;
  if (!evidence) return "Looking for places that agree…";
  const agree = evidence.lines.filter((line) => line[4]).length;
  if (evidence.supported) return `${agree} of ${evidence.lines.length} places agree on where it lies`;
  return "No geometric support: the two look alike, and no places agree on where it would lie";
}

// ---- what is asked for

// resolves with the address of the sharpest copy and its size, as soon as any copy is there
function load(src) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve({ src, width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => reject(new Error("this picture can't be shown any more: reload the page"));
    image.src = src;
  });
}

async function weigh(address) {
  const answer = await fetch(address);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

// each address is asked once, unless it failed
function remembering(ask) {
  const known = new Map();
  return (address) => {
    if (!known.has(address)) {
      const answer = ask(address);
      answer.catch(() => known.delete(address));
      known.set(address, answer);
    }
    return known.get(address);
  };
}

function makeViewer(root, state) {
  const dialog = make("dialog", "viewer evidence");
  dialog.tabIndex = -1;
  dialog.innerHTML = EVIDENCE; // a constant: nothing of the data is in it
  root.append(dialog);
  const part = (selector) => dialog.querySelector(selector);
  const view = { at: 0, whose: 0, all: false, pair: null };
  const [pictureAt, evidenceAt] = [remembering(load), remembering(weigh)];

  const lay = () => {
    const room = part(".field").getBoundingClientRect();
    const { asked, found } = view.pair ?? {};
    if (!dialog.open || !room.width || !asked?.width || !found?.width) return;
    part(".scene").setAttribute("viewBox", `0 0 ${room.width} ${room.height}`);
    part(".scene").replaceChildren(...drawing(view.pair, room, view.all));
  };
  const tell = () => {
    part(".verdict").textContent = verdictOf(view.pair);
    part(".verdict").classList.toggle("faint", view.pair.evidence?.supported === false);
    part(".rest").disabled = !view.pair.evidence?.lines.some((line) => !line[4]);
    lay();
  };
  // what comes after another hit was turned to is kept for later, and not drawn
  const fill = (pair, promise, take) =>
    promise.then(take, (error) => (pair.refusal = error.message)).then(() => view.pair === pair && tell());
  // beside the example that it fits best, unless another one is chosen
  const show = (index, whose) => {
    const { tiles, query } = state.data;
    view.at = clamp(index, 0, tiles.length - 1);
    view.whose = clamp(whose ?? tiles[view.at].whose, 0, query.length - 1);
    const [tile, example] = [tiles[view.at], query[view.whose]];
    const pair = { asked: { box: example.box, src: "" }, found: { src: tile.thumb, width: tile.width, height: tile.height } };
    view.pair = pair;
    for (const address of [example.thumb, example.picture]) fill(pair, pictureAt(address), (loaded) => Object.assign(pair.asked, loaded));
    fill(pair, pictureAt(tile.picture), ({ src }) => (pair.found.src = src));
    fill(pair, evidenceAt(tile.evidence[view.whose]), (evidence) => (pair.evidence = evidence));
    label(tile);
    tell();
  };
  const label = (tile) => {
    const last = state.data.tiles.length;
    part(".count").textContent = `${view.at + 1} of ${last}`;
    part(".back").disabled = view.at === 0;
    part(".on").disabled = view.at === last - 1;
    part(".more span").textContent = tile.part ? "Use this region as an example" : "Use as an example";
    part(".large").href = tile.picture;
    part(".scene").setAttribute("aria-label", `An example beside ${tile.name}: ${tile.word}`);
    fillDetails(part(".details"), tile.details);
    for (const [at, button] of [...part(".whose").children].entries()) button.setAttribute("aria-pressed", at === view.whose);
  };
  const choose = (whose) => whose < state.data.query.length && show(view.at, whose);
  const listExamples = () => {
    const { query } = state.data;
    const buttons = query.length > 1 ? query.map((_, at) => Object.assign(make("button", "", `Example ${at + 1}`), { type: "button", onclick: () => choose(at) })) : [];
    part(".whose").replaceChildren(...buttons);
  };
  const showAll = () => {
    view.all = !view.all;
    part(".rest").setAttribute("aria-pressed", view.all);
    lay();
  };
  const use = (trigger) => state.send(trigger, state.data.tiles[view.at].id);
  const KEYS = { ArrowLeft: () => show(view.at - 1), ArrowRight: () => show(view.at + 1), a: showAll, n: () => use("unlike"), e: () => use("like") };

  dialog.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const act = KEYS[event.key] ?? (/^[1-9]$/.test(event.key) ? () => choose(Number(event.key) - 1) : null);
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  });
  dialog.addEventListener("close", () => select(state.grid, tilesIn(state.grid)[view.at]));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  part(".close").onclick = () => dialog.close();
  part(".back").onclick = KEYS.ArrowLeft;
  part(".on").onclick = KEYS.ArrowRight;
  part(".rest").onclick = showAll;
  part(".unlike").onclick = KEYS.n;
  part(".more").onclick = KEYS.e;
  new ResizeObserver(lay).observe(part(".field"));
  return {
    isOpen: () => dialog.open,
    open(index) {
      listExamples();
      dialog.showModal();
      dialog.focus(); // and not its first button
      show(index);
    },
    close: () => dialog.open && dialog.close(),
  };
}
