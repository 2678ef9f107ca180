// The examples in a row: each cut to its box, with its sign, which a click swaps, and a way to take it out.
// data: {examples: [{thumb, picture, box, name, wanted}], hand, full, url, ticket, maxBytes}
// triggers: chosen, swapped, removed -> place of an example; added -> digest of a picture that was sent

const WHOLE = [0, 0, 1, 1];

// the box fills the square, and what is beside it in the picture fills the rest
function cropTo(image, box) {
  const [x0, y0, x1, y1] = box ?? WHOLE;
  const { naturalWidth: width, naturalHeight: height } = image;
  const [across, down] = [(x1 - x0) * width, (y1 - y0) * height];
  const scale = 100 / (box ? Math.max(across, down) : Math.min(across, down)); // percent of the square, per pixel
  const start = (low, high, size) => {
    const whole = size * scale;
    const wanted = 50 - ((low + high) / 2) * whole;
    return whole < 100 ? (100 - whole) / 2 : clamp(wanted, 100 - whole, 0);
  };
  Object.assign(image.style, {
    width: `${width * scale}%`, height: `${height * scale}%`, left: `${start(x0, x1, width)}%`, top: `${start(y0, y1, height)}%`,
  });
}

function cropOf(example) {
  const image = make("img");
  image.alt = "";
  image.draggable = false;
  image.onload = () => cropTo(image, example.box);
  image.src = example.box ? example.picture : example.thumb; // a part of a thumbnail would be blurred
  return image;
}

function buttonOf(className, text, label, onclick) {
  const made = Object.assign(make("button", className, text), { type: "button", title: label, onclick });
  made.setAttribute("aria-label", label);
  return made;
}

function itemOf(state, example, place) {
  const item = make("li", example.wanted ? "wanted" : "unwanted");
  const said = `${example.wanted ? "Looked for" : "Not meant"}${example.name ? `: ${example.name}` : ""}`;
  const crop = buttonOf("crop", undefined, said, () => state.send("chosen", place));
  crop.append(cropOf(example));
  crop.setAttribute("aria-current", place === state.data.hand);
  const swap = example.wanted ? "Say that this is not meant" : "Say that this is meant";
  item.append(
    crop,
    buttonOf("sign", example.wanted ? "+" : "\u2212", swap, () => state.send("swapped", place)),
    buttonOf("remove", "\u2715", "Take this example out", () => state.send("removed", place)),
  );
  return item;
}

function addOf(state) {
  const item = make("li", "add");
  item.append(buttonOf("crop", "+", "One more example", () => state.ui.input.click()));
  return item;
}

async function add(state, [file]) {
  const { error, input, root } = state.ui;
  if (!file) return;
  error.hidden = true;
  root.classList.add("busy");
  try {
    state.send("added", (await sendFile(file, state.data)).digest);
  } catch (refusal) {
    error.textContent = refusal.message;
    error.hidden = false;
  } finally {
    root.classList.remove("busy");
    input.value = "";
  }
}

function start(parent) {
  const ui = Object.fromEntries(["row", "error", "input"].map((name) => [name, parent.querySelector(`.${name}`)]));
  ui.root = parent.querySelector(".examples");
  const state = { ui, data: {}, drawn: "" };
  ui.input.onchange = () => add(state, [...ui.input.files]);
  return state;
}

export default function examples({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  const drawing = JSON.stringify([data.examples, data.hand]);
  if (drawing === state.drawn) return;
  state.drawn = drawing;
  const items = data.examples.map((example, place) => itemOf(state, example, place));
  state.ui.row.replaceChildren(...items, ...(data.full ? [] : [addOf(state)]));
}
