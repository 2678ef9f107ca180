// Two pictures, and the question whether they are copies of each other. One answer for each render: keys y, n, u, z.
// data: {pair: [{id, name, facts, thumb, picture, tiny}] | [], answered, wanted}
// triggers: answered -> [first id, second id, true, false, or null for who can't tell]; undone -> how many answers there were

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text; // never innerHTML: names come from strangers
  return element;
};

function typing(event) {
  const target = event.composedPath()[0];
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName || "");
}

// with the thumbnail at once, sharp when the large picture has come
function pictureOf(side) {
  const image = make("img");
  Object.assign(image, { alt: side.name, src: side.thumb, draggable: false, decoding: "async" });
  image.onerror = () => image.closest(".frame")?.classList.add("lost");
  const large = new Image();
  large.onload = () => {
    image.closest(".frame")?.classList.remove("lost");
    image.src = side.picture;
  };
  large.src = side.picture;
  return image;
}

function figureOf(side) {
  const figure = make("figure");
  const frame = make("div", side.tiny ? "frame tiny" : "frame");
  const caption = make("figcaption");
  const name = make("div", "name", side.name);
  name.title = side.name;
  frame.append(pictureOf(side));
  caption.append(name, make("div", "facts", side.facts));
  figure.append(frame, caption);
  return figure;
}

function draw(state) {
  const { pair, answered, wanted } = state.data;
  state.waits = false;
  state.part(".asker").classList.remove("waits");
  state.part(".pair").replaceChildren(...pair.map(figureOf));
  for (const name of [".yes", ".no", ".unsure"]) state.part(name).disabled = !pair.length;
  state.part(".undo").disabled = !answered;
  state.part(".track i").style.width = `${Math.min(100, (100 * answered) / Math.max(1, wanted))}%`;
  const done = answered >= wanted ? `${answered} labelled` : `${answered + 1} of ${wanted}`;
  state.part(".count").textContent = done;
}

// the next one may come only when the page has drawn what follows from this one
function act(state, trigger, value) {
  if (state.waits) return;
  state.waits = true;
  state.part(".asker").classList.add("waits");
  state.send(trigger, value);
}

function answer(state, copies) {
  const ids = state.data.pair.map((side) => side.id);
  if (ids.length) act(state, "answered", [...ids, copies]);
}

function undo(state) {
  if (state.data.answered) act(state, "undone", state.data.answered);
}

function onKey(event, state) {
  const seen = state.part(".asker")?.getClientRects().length; // not while another tab of the page is in front
  if (!seen || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
  const acts = { y: () => answer(state, true), n: () => answer(state, false), u: () => answer(state, null), z: () => undo(state) };
  const wanted = acts[event.key.toLowerCase()];
  if (!wanted) return;
  event.preventDefault();
  wanted();
}

function start(root) {
  const state = { part: (selector) => root.querySelector(selector), data: { pair: [] }, drawn: "", waits: false };
  state.part(".yes").onclick = () => answer(state, true);
  state.part(".no").onclick = () => answer(state, false);
  state.part(".unsure").onclick = () => answer(state, null);
  state.part(".undo").onclick = () => undo(state);
  const listen = (event) => onKey(event, state);
  document.addEventListener("keydown", listen);
  state.stop = () => document.removeEventListener("keydown", listen);
  return state;
}

export default function asker({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  const drawing = JSON.stringify(data);
  if (drawing !== state.drawn) {
    draw(state);
    state.drawn = drawing;
  }
  return state.stop;
}
