// The query: drop, paste or pick a picture anywhere on the page; then drag a box on it to search by a part.
// data: {url, ticket, maxBytes, picture: {src, name} | null, box: [x0, y0, x1, y1] | null, tip, draw: words}
// triggers: asked -> digest of the stored picture; boxed -> [x0, y0, x1, y1], or [] when taken away; cleared -> true

const TINY_PX = 64;
const SMALLEST_BOX = 0.02; // a smaller drag is a click of an unsteady hand

const imagesIn = (files) => [...(files || [])].filter((file) => file.type.startsWith("image/") || !file.type);

function say(ui, text) {
  ui.error.textContent = text || "";
  ui.error.hidden = !text;
}

async function ask(state, files) {
  const [file] = files;
  if (!file) return;
  const { ui } = state;
  say(ui, "");
  ui.root.classList.add("busy");
  try {
    const answer = await sendFile(file, state.data, (share) => ui.progress.style.setProperty("--share", share));
    state.send("asked", answer.digest);
  } catch (refusal) {
    say(ui, refusal.message);
  } finally {
    ui.root.classList.remove("busy");
    ui.input.value = "";
  }
}

function listenToPage(state) {
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const veil = (on) => state.ui.root.classList.toggle("over", on);
  const handlers = {
    dragenter: (event) => carriesFiles(event) && veil(++depth > 0),
    dragleave: (event) => carriesFiles(event) && veil(--depth > 0),
    dragover: (event) => carriesFiles(event) && event.preventDefault(),
    drop: (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      veil(Boolean((depth = 0)));
      const files = imagesIn(event.dataTransfer.files);
      if (files.length) ask(state, files);
      else say(state.ui, "That was no picture: drop a JPEG, PNG, WebP, GIF, TIFF or BMP file.");
    },
    paste: (event) => {
      const files = imagesIn(event.clipboardData?.files);
      if (!files.length) return;
      event.preventDefault();
      ask(state, files);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) document.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) document.removeEventListener(name, handler);
  };
}

function place(ui, box) {
  ui.box.hidden = !box;
  ui.clearBox.hidden = !box;
  if (!box) return;
  const [x0, y0, x1, y1] = box.map((share) => share * 100);
  Object.assign(ui.box.style, { left: `${x0}%`, top: `${y0}%`, width: `${x1 - x0}%`, height: `${y1 - y0}%` });
}

function measure(ui) {
  const { naturalWidth: width, naturalHeight: height } = ui.picture;
  ui.stage.style.setProperty("--ratio", width / height);
  ui.stage.style.setProperty("--wide", width);
  ui.stage.classList.toggle("tiny", Math.max(width, height) <= TINY_PX);
}

function pointIn(stage, event) {
  const frame = stage.getBoundingClientRect();
  const share = (at, low, size) => Math.min(1, Math.max(0, (at - low) / size));
  return [share(event.clientX, frame.left, frame.width), share(event.clientY, frame.top, frame.height)];
}

const between = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];

function listenToStage(state) {
  const { ui } = state;
  let from = null;
  ui.stage.addEventListener("pointerdown", (event) => {
    const scrolls = event.pointerType === "touch" && !ui.root.classList.contains("drawing");
    if (event.button || scrolls) return;
    from = pointIn(ui.stage, event);
    ui.stage.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  ui.stage.addEventListener("pointermove", (event) => from && place(ui, between(from, pointIn(ui.stage, event))));
  ui.stage.addEventListener("pointercancel", () => {
    from = null;
    place(ui, state.data.box);
  });
  ui.stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const box = between(from, pointIn(ui.stage, event));
    from = null;
    ui.root.classList.remove("drawing");
    if (Math.min(box[2] - box[0], box[3] - box[1]) < SMALLEST_BOX) return place(ui, state.data.box);
    state.send("boxed", box.map((share) => Math.round(share * 1e4) / 1e4));
  });
}

function start(root) {
  const find = (name) => root.querySelector(`.${name}`);
  const names = ["drop", "choose", "input", "stage", "picture", "box", "error", "progress", "clearBox", "draw", "clear", "title", "tip"];
  const ui = Object.fromEntries(names.map((name) => [name, find(name)]));
  ui.root = find("picker");
  const state = { ui, data: {} };
  ui.picture.onload = () => measure(ui);
  ui.choose.onclick = () => ui.input.click();
  ui.drop.onclick = (event) => event.target === ui.choose || ui.input.click();
  ui.input.onchange = () => ask(state, [...ui.input.files]);
  ui.clear.onclick = () => state.send("cleared", true);
  ui.clearBox.onclick = () => state.send("boxed", []);
  ui.draw.onclick = () => ui.root.classList.toggle("drawing");
  listenToStage(state);
  state.stop = listenToPage(state);
  return state;
}

function draw({ ui, data }) {
  ui.root.classList.toggle("asked", Boolean(data.picture));
  if (data.picture && ui.picture.getAttribute("src") !== data.picture.src) ui.picture.src = data.picture.src;
  ui.title.textContent = data.picture?.name || "";
  ui.tip.textContent = data.tip;
  ui.draw.textContent = data.draw;
  place(ui, data.box);
}

export default function picker({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  draw(state);
  return state.stop;
}
