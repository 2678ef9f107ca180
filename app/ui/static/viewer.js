// One picture large, beside the query where there is one. Opens at once with the thumbnail, sharpens when the
// large picture has come. Arrows walk, Escape closes.

const VIEWER = `
  <div class="bar-top"><span class="count"></span><button type="button" class="close" aria-label="Close">&#x2715;</button></div>
  <div class="panes">
    <figure class="pane asked"><img alt=""><figcaption>Your picture</figcaption></figure>
    <figure class="pane found"><img alt=""><figcaption></figcaption></figure>
  </div>
  <button type="button" class="step back" aria-label="Previous">&#x2039;</button>
  <button type="button" class="step on" aria-label="Next">&#x203A;</button>
  <div class="bar-bottom">
    <dl class="details"></dl>
    <div class="acts"><button type="button" class="act more"></button><a class="act original" download>Download original</a></div>
  </div>`;

function showAsked(dialog, query) {
  dialog.classList.toggle("alone", !query);
  if (query) sharpen(dialog.querySelector(".asked img"), query.thumb, query.picture);
}

function showFound(dialog, tile) {
  const image = dialog.querySelector(".found img");
  image.alt = tile.name;
  image.classList.toggle("tiny", Math.max(tile.width, tile.height) <= 64);
  sharpen(image, tile.thumb, tile.picture);
  dialog.querySelector(".found figcaption").textContent = tile.word ? `${tile.word} · ${tile.number}` : tile.number || tile.name;
  fillDetails(dialog.querySelector(".details"), tile.details);
  dialog.querySelector(".original").href = tile.original;
}

function makeViewer(root, state) {
  const dialog = make("dialog", "viewer");
  dialog.innerHTML = VIEWER; // a constant: nothing of the data is in it
  root.append(dialog);
  let at = 0;

  const show = (index) => {
    const { tiles, query, likeLabel } = state.data;
    at = clamp(index, 0, tiles.length - 1);
    showAsked(dialog, query);
    showFound(dialog, tiles[at]);
    dialog.querySelector(".count").textContent = `${at + 1} of ${tiles.length}`;
    dialog.querySelector(".back").disabled = at === 0;
    dialog.querySelector(".on").disabled = at === tiles.length - 1;
    dialog.querySelector(".more").textContent = likeLabel;
  };
  const viewer = {
    isOpen: () => dialog.open,
    open(index) {
      show(index);
      dialog.showModal();
    },
    close: () => dialog.open && dialog.close(),
  };
  const onKey = (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    else if (event.key === "ArrowRight") show(at + 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("close", () => select(state.grid, tilesIn(state.grid)[at]));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.querySelector(".close").onclick = () => dialog.close();
  dialog.querySelector(".back").onclick = () => show(at - 1);
  dialog.querySelector(".on").onclick = () => show(at + 1);
  dialog.querySelector(".more").onclick = () => state.send("like", state.data.tiles[at].id);
  return viewer;
}
