// Groups of copies: the one that is kept, the others, and what a person says of them. One render for a page of groups.
// data: {groups: [{id, tier, title, line, doubt, settled, more, href, members: [...]}], heard: {from, n}, said: {...}}
// triggers: acts -> {from, acts}, see acts.js

const KEYS = [
  ["j k", "next and previous group"], ["← → ↑ ↓", "move among files"], ["1 – 9", "a file of the group by its number"],
  ["↵", "compare side by side"], ["space", "flicker between the copy and the kept one"], ["v", "difference"],
  ...ACT_KEYS, ["?", "these keys"],
];
const SAID_MS = 6000;

// ---- how it looks

function frameOf(member) {
  const frame = make("div", "frame");
  if (Math.max(member.width, member.height) <= 64) frame.classList.add("tiny");
  frame.append(pictureOf(member));
  if (member.gone) frame.append(make("span", "gone", member.gone));
  return frame;
}

function checkOf(state, member) {
  const check = button("check", "", "Mark for quarantine (x)", () => toggle(state, member));
  check.setAttribute("aria-label", `Mark ${member.name} for quarantine`);
  return check;
}

function quickOf(state, member) {
  const row = make("div", "quick");
  row.append(
    button("", "Keep this", "Keep this one instead (m)", () => keep(state, member)),
    button("", "Different", "No copies of each other (d)", () => speak(state, member, "different")),
  );
  return row;
}

function likenessOf(score) {
  const line = scoreLine({ ...score, number: score.word });
  line.title = "How far the two agree where they overlap, laid on one another";
  return line;
}

function folderOf(member) {
  const line = make("div", "folder");
  line.title = member.path;
  line.append(make("bdi", "", member.folder)); // it is cut at its beginning: the end tells folders apart
  return line;
}

function captionOf(member) {
  const caption = make("figcaption");
  if (member.whose) caption.append(make("div", "whose", `In ${member.whose}`));
  if (member.relation) caption.append(make("div", "relation", member.relation));
  if (member.score) caption.append(likenessOf(member.score));
  const name = middleCut(member.name);
  name.title = member.path;
  caption.append(name, make("div", "facts", member.facts), folderOf(member));
  caption.append(make("div", "why", `${member.keeper ? "Kept: " : ""}${member.reason}`));
  for (const lost of member.loses) caption.append(make("span", "lost-fact", `only here: ${lost}`));
  return caption;
}

function tileOf(state, member, number) {
  const figure = make("figure", member.keeper ? "tile keeper" : "tile");
  figure.style.setProperty("--ratio", clamp(member.width && member.height ? member.width / member.height : 1, 0.6, 2));
  figure.dataset.key = keyOf(member);
  figure.tabIndex = -1;
  figure.setAttribute("aria-label", [member.keeper ? "kept" : member.relation, member.whose, member.name, member.facts].filter(Boolean).join(", "));
  figure.classList.toggle("marked", member.marked);
  figure.append(frameOf(member), captionOf(member));
  if (number < 10) figure.append(make("span", "number", String(number)));
  if (member.keeper) figure.append(make("span", "badge", "Keep"));
  else if (member.mayGo) figure.append(checkOf(state, member), quickOf(state, member));
  else figure.append(make("span", "badge stays", member.linked ? "Linked" : "Stays"), quickOf(state, member));
  return figure;
}

function headOf(state, group) {
  const head = make("header");
  const title = make("div", "title");
  const tier = make("b", `tier ${group.tier}`, group.title);
  tier.title = group.meaning;
  title.append(tier, make("span", "line", group.line));
  if (group.doubt) title.append(make("span", "doubt", group.doubt));
  const acts = make("div", "acts");
  acts.append(
    button("act", "Compare", "Side by side, flicker, difference (Enter)", () => state.viewer.open(keyOf(group.members[1] ?? group.members[0]))),
    button("act", "Keep all", "Copies, and all stay (b)", () => speak(state, group.members[0], "keep_both")),
    group.settled
      ? button("act", "Review again", "Back among those to review", () => settle(state, group.id, false))
      : button("act done", "Done", "Finished: show this group no more (f)", () => settle(state, group.id)),
  );
  head.append(title, acts);
  return head;
}

function groupOf(state, group) {
  const section = make("section", "group");
  section.setAttribute("role", "listitem");
  section.dataset.group = group.id;
  const [kept, ...rest] = group.members.map((member, at) => tileOf(state, member, at + 1));
  const others = make("div", "others");
  others.append(...rest);
  if (group.more) others.append(Object.assign(make("a", "more", `and ${group.more.toLocaleString("en")} more`), { href: group.href }));
  const row = make("div", "row");
  row.append(kept, others);
  section.append(headOf(state, group), row);
  return section;
}

function draw(state, data) {
  hear(state, data.heard);
  const hadFocus = state.root.activeElement !== null;
  state.groups = data.groups.map((group) => withMarks(state, group));
  const nodes = new Map();
  for (const group of state.groups) {
    const text = JSON.stringify(group);
    const old = state.nodes.get(group.id);
    const same = old?.text === text && !old.node.matches(".leaving, :has(.leaving)");
    nodes.set(group.id, { text, node: same ? old.node : groupOf(state, group) });
  }
  state.nodes = nodes;
  state.root.querySelector(".help").hidden = !state.groups.length;
  const wanted = [...nodes.values()].map(({ node }) => node);
  const shown = [...state.list.children];
  if (wanted.length !== shown.length || wanted.some((node, at) => node !== shown[at])) state.list.replaceChildren(...wanted);
  holdOn(state, hadFocus);
  answer(state, data.said);
}

function answer(state, said) {
  const number = said?.number ?? 0;
  const news = state.answered !== undefined && number !== state.answered; // at first there is only what is old
  state.answered = number;
  if (!news) return;
  for (const line of state.root.querySelectorAll(".said")) {
    line.textContent = said.text;
    line.classList.toggle("refused", said.refused);
    line.classList.add("now");
  }
  clearTimeout(state.silence);
  state.silence = setTimeout(() => state.root.querySelectorAll(".said").forEach((line) => line.classList.remove("now")), SAID_MS);
}

// ---- which file is in hand

const membersOf = (state) => state.groups.flatMap((group) => group.members);
const find = (state, key) => membersOf(state).find((member) => keyOf(member) === key);
const nodeOf = (state, member) => state.list.querySelector(`[data-key="${keyOf(member)}"]`);

function take(state, member, focus = true) {
  if (!member) return;
  state.list.querySelector(".tile[tabindex='0']")?.setAttribute("tabindex", "-1");
  state.inHand = keyOf(member);
  state.place = membersOf(state).findIndex((one) => keyOf(one) === state.inHand);
  const node = nodeOf(state, member);
  node.tabIndex = 0;
  if (!focus) return;
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

// after the groups changed: the same file, or what came into its place
function holdOn(state, focus) {
  const members = membersOf(state);
  const same = find(state, state.inHand);
  const next = same ?? members.slice(Math.max(0, state.place)).find((member) => !member.keeper) ?? members.at(-1);
  if (!next) state.inHand = null;
  else take(state, next, focus);
}

const groupAt = (state, by) => {
  const at = state.groups.findIndex((group) => group.members.some((member) => keyOf(member) === state.inHand));
  return state.groups[at + by];
};

function stepped(state, key) {
  const members = membersOf(state);
  const at = members.findIndex((member) => keyOf(member) === state.inHand);
  if (/[1-9]/.test(key)) return groupAt(state, 0)?.members[Number(key) - 1];
  if (key === "ArrowRight") return members[at + 1];
  if (key === "ArrowLeft") return members[at - 1];
  const beside = groupAt(state, key === "j" || key === "ArrowDown" ? 1 : -1);
  return beside?.members[1] ?? beside?.members[0];
}

const MOVES = /^(Arrow(Left|Right|Up|Down)|[jk1-9])$/;
const LOOKS = { Enter: "beside", " ": "turns", v: "difference" };

function onKey(event, state) {
  if (typing(event) || state.viewer.isOpen() || document.querySelector("[role=dialog]") || !plainKey(event)) return;
  const inside = state.root.activeElement?.closest?.(".tile");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // a button that has the focus keeps the keys that buttons have
  if (!inside && document.activeElement !== document.body && !/^[a-z1-9?]$/.test(key)) return;
  if (MOVES.test(key)) take(state, inside ? stepped(state, key) : find(state, state.inHand) ?? membersOf(state)[0]);
  else if (key === "?") help(state);
  else if (inside && LOOKS[key]) state.viewer.open(state.inHand, LOOKS[key]);
  else if (!(inside || key === "u") || !actOn(state, key, find(state, state.inHand))) return;
  event.preventDefault();
}

function onClick(event, state) {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  take(state, find(state, tile.dataset.key));
  if (event.target.closest(".frame")) state.viewer.open(tile.dataset.key);
}

function help(state) {
  const keys = state.root.querySelector(".keys");
  keys.hidden = !keys.hidden;
  state.root.querySelector(".help").setAttribute("aria-expanded", !keys.hidden);
}

function start(root) {
  const state = {
    root, list: root.querySelector(".groups"), groups: [], nodes: new Map(), unheard: [], n: 0, place: 0,
    from: Math.random().toString(36).slice(2), inHand: null,
  };
  state.viewer = makeCompare(root, state);
  fillDetails(root.querySelector(".keys"), KEYS);
  root.querySelector(".help").onclick = () => help(state);
  state.list.addEventListener("click", (event) => onClick(event, state));
  const listen = (event) => onKey(event, state);
  document.addEventListener("keydown", listen);
  state.stop = () => document.removeEventListener("keydown", listen);
  return state;
}

export default function groups({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.trigger = setTriggerValue;
  draw(state, data);
  state.viewer.follow();
  return state.stop;
}
