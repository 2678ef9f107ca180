// One copy beside the one that is kept: side by side, in turns at one place, or what differs. The copy is laid on the
// kept picture by the warp that the check found, so that the same thing is at the same place.

const COMPARE = `
  <div class="bar-top">
    <span class="count"></span>
    <div class="modes" role="group" aria-label="How to compare">
      <button type="button" data-mode="beside">Side by side</button>
      <button type="button" data-mode="turns">Flicker</button>
      <button type="button" data-mode="difference">Difference</button>
    </div>
    <button type="button" class="close" aria-label="Close">&#x2715;</button>
  </div>
  <p class="verdict"></p>
  <div class="stage">
    <figure class="pane kept"><div class="holder"><img alt=""></div><figcaption></figcaption></figure>
    <figure class="pane copy"><div class="holder"><img alt=""></div><figcaption></figcaption></figure>
    <div class="over"><div class="layers"><img class="under" alt=""><img class="upper" alt=""></div><p class="showing"></p></div>
  </div>
  <button type="button" class="step back" aria-label="Previous">&#x2039;</button>
  <button type="button" class="step on" aria-label="Next">&#x203A;</button>
  <div class="bar-bottom">
    <dl class="details"></dl>
    <div class="acts"></div>
  </div>`;
const MODES = { 1: "beside", 2: "turns", 3: "difference" };

// the copy, stretched over the kept picture's place of W x H pixels, goes to where the warp says, in CSS' own order
function matrixOf([a, b, c, d, e, f], width, height) {
  return `matrix(${a}, ${(d * height) / width}, ${(b * width) / height}, ${e}, ${c * width}, ${f * height})`;
}

// where the copy lies on the kept picture, as CSS cuts it out
function outlineOf([a, b, c, d, e, f]) {
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => [a * x + b * y + c, d * x + e * y + f]);
  return `polygon(${corners.map(([x, y]) => `${x * 100}% ${y * 100}%`).join(", ")})`;
}

function fitted(kept, room) {
  const ratio = kept.width && kept.height ? kept.width / kept.height : 4 / 3;
  const width = Math.min(room.width, room.height * ratio);
  return [Math.round(width), Math.round(width / ratio)];
}

function makeCompare(root, state) {
  const dialog = make("dialog", "compare");
  dialog.innerHTML = COMPARE; // a constant: nothing of the data is in it
  root.append(dialog);
  const find = (selector) => dialog.querySelector(selector);
  const view = { key: null, place: 0, mode: "beside", upper: true };

  const pairs = () => state.groups.flatMap((group) => group.members.slice(1).map((member) => ({ group, kept: group.members[0], member })));
  const at = () => pairs().findIndex(({ member }) => keyOf(member) === view.key);

  const lay = () => {
    const pair = pairs()[at()];
    if (!dialog.open || !pair || view.mode === "beside") return;
    const room = find(".over").getBoundingClientRect();
    const [width, height] = fitted(pair.kept, { width: room.width, height: room.height - 34 });
    const layers = find(".layers");
    Object.assign(layers.style, { width: `${width}px`, height: `${height}px` });
    const onto = pair.member.onto ?? [1, 0, 0, 0, 1, 0];
    find(".upper").style.transform = matrixOf(onto, width, height);
    find(".under").style.clipPath = view.mode === "difference" ? outlineOf(onto) : "none";
    find(".upper").style.visibility = view.mode === "difference" || view.upper ? "visible" : "hidden";
    find(".under").style.visibility = view.mode === "difference" || !view.upper ? "visible" : "hidden";
    find(".showing").textContent = showing(pair);
  };
  const showing = ({ member }) => {
    if (view.mode === "difference") return "Black is the same in both; what shines differs";
    const which = view.upper ? "The copy" : "The one that is kept";
    return `${which} — F or a click shows the other${member.onto ? "" : "; no alignment is known, so they are only fitted"}`;
  };

  const show = (pair) => {
    const { group, kept, member } = pair;
    view.key = keyOf(member);
    view.place = at();
    if (!member.onto && view.mode === "difference") view.mode = "beside";
    dialog.dataset.mode = view.mode;
    for (const mode of dialog.querySelectorAll(".modes button")) mode.setAttribute("aria-pressed", mode.dataset.mode === view.mode);
    find("[data-mode=difference]").disabled = !member.onto;
    find(".count").textContent = `${view.place + 1} of ${pairs().length}`;
    find(".verdict").textContent = [group.title, member.relation, member.score?.text, group.doubt].filter(Boolean).join(" · ");
    for (const [selector, one] of [[".kept img", kept], [".copy img", member], [".under", kept], [".upper", member]]) {
      const image = find(selector);
      image.alt = one.name;
      if (image.dataset.wanted !== one.picture) sharpen(image, one.thumb, one.picture);
    }
    find(".kept figcaption").textContent = `Kept · ${kept.name}`;
    find(".copy figcaption").textContent = member.name;
    fillDetails(find(".details"), detailsOf(kept, member));
    find(".mark").textContent = member.marked ? "Unmark" : "Mark for quarantine";
    find(".mark").disabled = !member.mayGo;
    dialog.classList.toggle("marked", member.marked);
    find(".back").disabled = view.place === 0;
    find(".on").disabled = view.place === pairs().length - 1;
    lay();
  };
  const walk = (by) => {
    const pair = pairs()[at() + by];
    if (pair) show(pair);
  };
  const turn = (mode) => {
    view.upper = view.mode === mode && mode === "turns" ? !view.upper : true;
    view.mode = mode;
    const pair = pairs()[at()];
    if (pair) show(pair);
  };
  const act = (key) => {
    const member = pairs()[at()]?.member;
    doKey(state, key, member);
    if (key === " ") viewer.follow();
  };
  for (const [key, className, text] of [
    [" ", "mark", ""], ["k", "", "Keep this instead"], ["d", "", "Different"], ["s", "", "Same scene"],
    ["b", "", "Keep both"], ["Enter", "done", "Done"], ["z", "undo", "Undo"],
  ]) {
    find(".acts").append(button(`act ${className}`, text, key === " " ? "Space" : key.toUpperCase(), () => act(key)));
  }

  const viewer = {
    isOpen: () => dialog.open,
    open(key) {
      const all = pairs();
      const group = find ? state.groups.find(({ members }) => members.some((member) => keyOf(member) === key)) : null;
      const pair = all.find(({ member }) => keyOf(member) === key) ?? all.find((one) => one.group === group);
      if (!pair) return;
      dialog.showModal();
      show(pair);
    },
    // after the groups changed: the same copy, or the one that came into its place
    follow() {
      if (!dialog.open) return;
      const all = pairs();
      const pair = all.find(({ member }) => keyOf(member) === view.key) ?? all[Math.min(view.place, all.length - 1)];
      if (pair) show(pair);
      else dialog.close();
    },
  };
  const onKey = (event) => {
    if (event.key === "Escape") return;
    if (event.key === "ArrowLeft" || event.key === "ArrowUp") walk(-1);
    else if (event.key === "ArrowRight" || event.key === "ArrowDown") walk(1);
    else if (MODES[event.key]) turn(MODES[event.key]);
    else if (event.key.toLowerCase() === "f") turn("turns");
    else if (event.key.toLowerCase() === "x" && !find("[data-mode=difference]").disabled) turn("difference");
    else if (isActKey(event)) act(actKey(event));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("close", () => take(state, membersOf(state).find((member) => keyOf(member) === view.key)));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  find(".close").onclick = () => dialog.close();
  find(".back").onclick = () => walk(-1);
  find(".on").onclick = () => walk(1);
  find(".layers").onclick = () => view.mode === "turns" && turn("turns");
  find(".modes").onclick = (event) => event.target.dataset.mode && turn(event.target.dataset.mode);
  new ResizeObserver(lay).observe(find(".stage"));
  return viewer;
}

function detailsOf(kept, member) {
  return member.details.map(([term, text], at) => {
    const other = kept.details[at]?.[1] ?? "";
    return [term, text === other || !other ? text || other : `${text}  (kept: ${other})`];
  });
}
