// The grid of pictures, and the viewer that shows one beside the query. One render for the whole page of hits.
// data: {tiles: [...], query: what the viewer shows beside a picture | null, click: "open" | "like", likeLabel}
// Tiles of some pages have an outline (lines.js), are faint, or stand behind a heading that sets them apart.
// triggers: like -> image id

const ratioOf = (tile) => (tile.width && tile.height ? tile.width / tile.height : 1);

function frameOf(tile, ratio) {
  const frame = make("a", "frame");
  frame.href = tile.href;
  frame.tabIndex = -1;
  const shown = clamp(ratio, 0.6, 2.4);
  if (shown !== ratio) frame.classList.add("whole");
  if (Math.max(tile.width, tile.height) <= 64) frame.classList.add("tiny");
  frame.append(pictureOf(tile), ...(tile.outline ? [outlineOf(tile, shown !== ratio)] : []));
  return frame;
}

function captionOf(tile) {
  const caption = make("figcaption");
  if (tile.number) caption.append(scoreLine(tile));
  caption.append(middleCut(tile.name));
  if (tile.facts) caption.append(make("div", "facts", tile.facts));
  return caption;
}

function tileOf(tile, index, likeLabel) {
  const figure = make("figure", tile.faint ? "tile faint" : "tile");
  const ratio = ratioOf(tile);
  figure.style.setProperty("--ratio", clamp(ratio, 0.6, 2.4));
  figure.dataset.index = index;
  figure.tabIndex = index === 0 ? 0 : -1;
  figure.setAttribute("role", "listitem");
  figure.setAttribute("aria-label", [tile.name, tile.word, tile.facts].filter(Boolean).join(", "));
  const like = make("button", "like");
  like.append(make("span", "", likeLabel));
  like.title = likeLabel;
  like.type = "button";
  like.tabIndex = -1;
  figure.append(frameOf(tile, ratio), like, captionOf(tile));
  return figure;
}

// what is set apart begins a row of its own; the row before it keeps its pictures at their own size
const apartOf = (heading) => [make("span", "filler"), make("h4", "apart", heading)];

const entriesOf = (tile, index, likeLabel) => [...(tile.apart ? apartOf(tile.apart) : []), tileOf(tile, index, likeLabel)];

const tilesIn = (grid) => [...grid.querySelectorAll(".tile")];

function nearestTo(tiles, current, key) {
  const from = current.getBoundingClientRect();
  const middle = from.left + from.width / 2;
  const down = key === "ArrowDown";
  const beyond = tiles.filter((tile) => {
    const box = tile.getBoundingClientRect();
    return down ? box.top > from.top + 1 : box.top < from.top - 1;
  });
  const gap = (tile) => {
    const box = tile.getBoundingClientRect();
    return Math.abs(box.top - from.top) * 10 + Math.abs(box.left + box.width / 2 - middle);
  };
  return beyond.sort((a, b) => gap(a) - gap(b))[0];
}

function neighbour(grid, current, key) {
  const tiles = tilesIn(grid);
  const at = tiles.indexOf(current);
  if (key === "ArrowRight") return tiles[at + 1];
  if (key === "ArrowLeft") return tiles[at - 1];
  return nearestTo(tiles, current, key);
}

function select(grid, tile) {
  if (!tile) return;
  grid.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
  tile.tabIndex = 0;
  tile.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function onClick(event, state) {
  const figure = event.target.closest(".tile");
  if (!figure) return;
  const index = Number(figure.dataset.index);
  const asksForMore = event.target.closest(".like") || state.data.click === "like";
  if (!event.target.closest(".like") && !plainClick(event)) return; // a new tab, by the link
  event.preventDefault();
  select(state.grid, figure);
  if (asksForMore) state.send("like", state.data.tiles[index].id);
  else state.viewer.open(index);
}

function onGridKey(event, state) {
  if (typing(event) || state.viewer.isOpen()) return;
  const focused = state.root.activeElement?.closest?.(".tile");
  const arrow = /^Arrow(Left|Right|Up|Down)$/.test(event.key);
  if (arrow && focused) {
    event.preventDefault();
    select(state.grid, neighbour(state.grid, focused, event.key));
  } else if (arrow && document.activeElement === document.body) {
    event.preventDefault();
    select(state.grid, state.grid.querySelector('[tabindex="0"]'));
  } else if (event.key === "Enter" && focused && event.composedPath()[0] === focused) {
    event.preventDefault();
    if (state.data.click === "like") state.send("like", state.data.tiles[focused.dataset.index].id);
    else state.viewer.open(Number(focused.dataset.index));
  }
}

function start(root) {
  const state = { root, grid: root.querySelector(".grid"), data: { tiles: [] }, drawn: "" };
  state.viewer = makeViewer(root, state);
  state.grid.addEventListener("click", (event) => onClick(event, state));
  const onKey = (event) => onGridKey(event, state);
  document.addEventListener("keydown", onKey);
  state.stop = () => document.removeEventListener("keydown", onKey);
  return state;
}

export default function gallery({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  const drawing = JSON.stringify(data);
  if (drawing !== state.drawn) {
    state.grid.replaceChildren(...data.tiles.flatMap((tile, index) => entriesOf(tile, index, data.likeLabel)));
    state.grid.classList.toggle("leads", data.click === "like");
    state.drawn = drawing;
    state.viewer.close();
  }
  return state.stop;
}
