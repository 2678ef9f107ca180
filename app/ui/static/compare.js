// One copy beside the one that is kept: side by side, in turns at one place, or what differs. The copy is laid on the
// kept picture by the warp that the check found, so that the same thing is at the same place.

const COMPARE = `
  <div class="bar-top">
    <span class="count"></span>
    <div class="modes" role="group" aria-label="How to compare">
      <button type="button" data-mode="beside">Side by side</button>
      <button type="button" data-mode="turns" title="space">Flicker</button>
      <button type="button" data-mode="difference" title="v">Difference</button>
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
    <table class="facts-of-both"><thead><tr><td></td><th>Kept</th><th>Copy</th></tr></thead><tbody></tbody></table>
    <div class="acts"></div>
  </div>
  <p class="said" role="status" aria-live="polite"></p>`;
const EDGE = 0.004;
const SAME_PLACE = [1, 0, 0, 0, 1, 0];
const STEPS = { ArrowLeft: -1, ArrowUp: -1, k: -1, ArrowRight: 1, ArrowDown: 1, j: 1 };

// the copy, stretched over the kept picture's place of W x H pixels, goes to where the warp says, in CSS' own order
function matrixOf([a, b, c, d, e, f], width, height) {
  return `matrix(${a}, ${(d * height) / width}, ${(b * width) / height}, ${e}, ${c * width}, ${f * height})`;
}

// where the copy lies on the kept picture, as CSS cuts it out; a hair less, or the edges themselves would shine
function outlineOf([a, b, c, d, e, f]) {
  const corners = [[EDGE, EDGE], [1 - EDGE, EDGE], [1 - EDGE, 1 - EDGE], [EDGE, 1 - EDGE]].map(([x, y]) => [a * x + b * y + c, d * x + e * y + f]);
  return `polygon(${corners.map(([x, y]) => `${x * 100}% ${y * 100}%`).join(", ")})`;
}

function fitted(kept, room) {
  const ratio = kept.width && kept.height ? kept.width / kept.height : 4 / 3;
  const width = Math.min(room.width, room.height * ratio);
  return [Math.round(width), Math.round(width / ratio)];
}

function factsOfBoth(kept, member) {
  const rows = [["Name", kept.name, member.name], ...member.details.map(([term, text], at) => [term, kept.details[at]?.[1] ?? "", text])];
  return rows.map(([term, one, other]) => {
    const row = make("tr", one === other ? "" : "differs");
    row.append(make("th", "", term), make("td", "", one), make("td", "", other));
    row.title = `${one} | ${other}`;
    return row;
  });
}

const within = (word, member) => (member.whose ? `${word} in ${member.whose}` : word);
const captionsOf = (kept, member) => [
  `${within("Kept", kept)} · ${kept.reason}`,
  [`${within("Copy", member)} · ${member.reason}`, ...member.loses.map((lost) => `only here: ${lost}`)].join(" · "),
];

function makeCompare(root, state) {
  const dialog = make("dialog", "compare");
  dialog.tabIndex = -1;
  dialog.innerHTML = COMPARE; // a constant: nothing of the data is in it
  root.append(dialog);
  const part = (selector) => dialog.querySelector(selector);
  const view = { key: null, place: 0, mode: "beside", upper: true };

  const pairs = () => state.groups.flatMap((group) => group.members.slice(1).map((member) => ({ group, kept: group.members[0], member })));
  const at = () => pairs().findIndex(({ member }) => keyOf(member) === view.key);

  const showing = ({ member }) => {
    if (view.mode === "difference") return "Black is the same in both; what shines differs";
    const which = view.upper ? "The copy" : "The one that is kept";
    return `${which} · space, or a click on it, shows the other${member.onto ? "" : " · no alignment is known: only fitted"}`;
  };
  const lay = () => {
    const pair = pairs()[at()];
    if (!dialog.open || !pair || view.mode === "beside") return;
    const room = part(".over").getBoundingClientRect();
    const [width, height] = fitted(pair.kept, { width: room.width, height: room.height - 34 });
    const onto = pair.member.onto ?? SAME_PLACE;
    const differ = view.mode === "difference";
    Object.assign(part(".layers").style, { width: `${width}px`, height: `${height}px` });
    part(".upper").style.transform = matrixOf(onto, width, height);
    part(".layers").style.clipPath = differ ? outlineOf(onto) : "none";
    part(".upper").style.visibility = differ || view.upper ? "visible" : "hidden";
    part(".under").style.visibility = differ || !view.upper ? "visible" : "hidden";
    part(".showing").textContent = showing(pair);
  };
  const fill = ({ group, kept, member }) => {
    const nth = `${group.members.indexOf(member)} of ${group.members.length - 1} in this group`;
    part(".count").textContent = `${view.place + 1} of ${pairs().length} · ${nth}`;
    part(".verdict").textContent = [group.title, member.relation, member.score?.word].filter(Boolean).join(" · ");
    for (const [selector, one] of [[".kept img", kept], [".copy img", member], [".under", kept], [".upper", member]]) {
      const image = part(selector);
      image.alt = one.name;
      if (image.dataset.wanted !== one.picture) sharpen(image, one.thumb, one.picture);
    }
    const captions = captionsOf(kept, member);
    part(".kept figcaption").textContent = captions[0];
    part(".copy figcaption").textContent = captions[1];
    part("tbody").replaceChildren(...factsOfBoth(kept, member));
  };
  const show = (pair) => {
    view.key = keyOf(pair.member);
    view.place = at();
    if (!pair.member.onto && view.mode === "difference") view.mode = "beside";
    dialog.dataset.mode = view.mode;
    for (const mode of dialog.querySelectorAll(".modes button")) mode.setAttribute("aria-pressed", mode.dataset.mode === view.mode);
    part("[data-mode=difference]").disabled = !pair.member.onto;
    fill(pair);
    part(".mark").firstChild.textContent = pair.member.marked ? "Unmark" : "Mark";
    part(".mark").disabled = !pair.member.mayGo;
    dialog.classList.toggle("marked", pair.member.marked);
    part(".back").disabled = view.place === 0;
    part(".on").disabled = view.place === pairs().length - 1;
    lay();
  };
  const go = (pair) => pair && show(pair);
  const walk = (by) => go(pairs()[at() + by]);
  const choose = (number) => {
    const group = pairs()[at()]?.group;
    go(pairs().filter((pair) => pair.group === group)[number - 1]);
  };
  const turn = (mode) => {
    view.upper = view.mode === mode && mode === "turns" ? !view.upper : true;
    view.mode = mode;
    go(pairs()[at()]);
  };
  const act = (key) => {
    const heard = actOn(state, key, pairs()[at()]?.member);
    if (key === "x") viewer.follow();
    return heard;
  };
  for (const [key, className, text] of [
    ["x", "mark", "Mark"], ["m", "", "Keep this instead"], ["d", "", "Different"], ["s", "", "Same scene"],
    ["b", "", "Keep both"], ["f", "done", "Done"], ["u", "undo", "Undo"],
  ]) {
    const made = button(`act ${className}`, text, "", () => act(key));
    made.append(make("kbd", "", key));
    part(".acts").append(made);
  }

  const viewer = {
    isOpen: () => dialog.open,
    open(key, mode = "beside") {
      const all = pairs();
      const group = state.groups.find(({ members }) => members.some((member) => keyOf(member) === key));
      const pair = all.find(({ member }) => keyOf(member) === key) ?? all.find((one) => one.group === group);
      if (!pair) return;
      Object.assign(view, { mode, upper: true });
      dialog.showModal();
      dialog.focus(); // and not its first button
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
    if (event.key === "Escape" || !plainKey(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (STEPS[key]) walk(STEPS[key]);
    else if (/[1-9]/.test(key)) choose(Number(key));
    else if (key === " ") turn("turns");
    else if (key === "v") turn(view.mode === "difference" || part("[data-mode=difference]").disabled ? "beside" : "difference");
    else if (key === "?") dialog.close(), help(state);
    else if (!act(key)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("close", () => take(state, find(state, view.key)));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  part(".close").onclick = () => dialog.close();
  part(".back").onclick = () => walk(-1);
  part(".on").onclick = () => walk(1);
  part(".layers").onclick = () => view.mode === "turns" && turn("turns");
  part(".modes").onclick = (event) => event.target.dataset.mode && turn(event.target.dataset.mode);
  new ResizeObserver(lay).observe(part(".stage"));
  return viewer;
}
