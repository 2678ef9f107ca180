// Groups of copies: the one that is kept, the others, and what a person says of them. One render for a page of groups.
// data: {groups: [{id, tier, title, line, doubt, settled, more, href, members: [...]}], heard: {from, n}}
// triggers: acts -> {from, acts: [{n, act, group, location?, image?, ...}]}, all that the server has not heard yet

const KEYS = [
  ["← → ↑ ↓", "move"], ["space", "mark"], ["K", "keep this one"], ["D", "different"], ["S", "same scene"],
  ["B", "keep both"], ["↵", "done"], ["Z", "undo"], ["C", "compare"],
];
const ACTS = { d: "different", s: "same_scene", b: "keep_both" }; // words a person says of a pair
const RESEND_MS = 2500;

const keyOf = (member) => `${member.group}:${member.location}`;

// ---- what is said to the server: all that it has not heard, again and again, until it says it did

function say(state, act) {
  state.n += 1;
  state.unheard.push({ n: state.n, ...act });
  send(state);
}

function send(state) {
  clearTimeout(state.again);
  state.trigger("acts", { from: state.from, acts: state.unheard });
  state.again = setTimeout(() => state.unheard.length && send(state), RESEND_MS);
}

function hear(state, heard) {
  if (heard?.from !== state.from) return;
  state.unheard = state.unheard.filter((act) => act.n > heard.n);
  if (!state.unheard.length) clearTimeout(state.again);
}

function withMarks(state, group) {
  const marks = new Map(state.unheard.filter((act) => act.act === "mark").map((act) => [keyOf(act), act.marked]));
  const members = group.members.map((member) => ({ ...member, marked: marks.get(keyOf(member)) ?? member.marked }));
  return { ...group, members };
}

// ---- what a person can do with the file that is in hand

function toggle(state, member) {
  if (!member.mayGo) return;
  const marked = !member.marked;
  member.marked = marked;
  state.nodes.get(member.group)?.node.querySelector(`[data-key="${keyOf(member)}"]`)?.classList.toggle("marked", marked);
  say(state, { act: "mark", group: member.group, location: member.location, marked });
}

function speak(state, member, word) {
  leave(state, member);
  say(state, { act: "word", word, group: member.group, image: member.keeper ? null : member.image });
}

function keep(state, member) {
  if (!member.keeper) say(state, { act: "keep", group: member.group, image: member.image, location: member.location });
}

function settle(state, groupId) {
  state.nodes.get(groupId)?.node.classList.add("leaving");
  say(state, { act: "settle", group: groupId });
}

function leave(state, member) {
  const node = state.nodes.get(member.group)?.node;
  (member.keeper ? node : node?.querySelector(`[data-key="${keyOf(member)}"]`))?.classList.add("leaving");
}

function doKey(state, key, member) {
  if (key === "z") return void say(state, { act: "undo" });
  if (!member) return;
  if (key === " ") toggle(state, member);
  else if (key === "k") keep(state, member);
  else if (key === "Enter") settle(state, member.group);
  else speak(state, member, ACTS[key]);
}

const isActKey = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && (event.key === "Enter" || /^[ kdsbz]$/i.test(event.key));

// ---- how it looks

function button(className, text, title, onClick) {
  const made = make("button", className, text);
  made.type = "button";
  made.title = title;
  made.tabIndex = -1;
  made.onclick = (event) => {
    event.stopPropagation();
    onClick();
  };
  return made;
}

function frameOf(member) {
  const frame = make("div", "frame");
  if (Math.max(member.width, member.height) <= 64) frame.classList.add("tiny");
  frame.append(pictureOf(member));
  if (!member.here) frame.append(make("span", "gone", member.goneWord));
  return frame;
}

function checkOf(state, member) {
  const check = button("check", "", "Mark for quarantine (space)", () => toggle(state, member));
  check.setAttribute("aria-label", "Mark for quarantine");
  return check;
}

function actsOf(state, member) {
  const row = make("div", "quick");
  row.append(
    button("", "Keep this", "Keep this one instead (K)", () => keep(state, member)),
    button("", "Different", "Not copies of each other (D)", () => speak(state, member, "different")),
  );
  return row;
}

function captionOf(member) {
  const caption = make("figcaption");
  if (member.relation) caption.append(make("div", "relation", member.relation));
  if (member.score) caption.append(scoreLine(member.score));
  const name = middleCut(member.name);
  name.title = member.path;
  caption.append(name, make("div", "facts", member.facts));
  if (member.folder) caption.append(Object.assign(make("div", "folder", member.folder), { title: member.path }));
  if (member.keeper) caption.append(make("div", "why", member.reason));
  for (const lost of member.loses) caption.append(make("span", "lost-fact", `would lose its ${lost}`));
  return caption;
}

function tileOf(state, member) {
  const figure = make("figure", member.keeper ? "tile keeper" : "tile");
  figure.style.setProperty("--ratio", clamp(member.width && member.height ? member.width / member.height : 1, 0.6, 2));
  figure.dataset.key = keyOf(member);
  figure.tabIndex = -1;
  figure.setAttribute("aria-label", [member.keeper ? "kept" : member.relation, member.name, member.facts].join(", "));
  figure.classList.toggle("marked", member.marked);
  figure.append(frameOf(member), captionOf(member));
  if (member.keeper) figure.append(make("span", "badge", "Keep"));
  else if (member.mayGo) figure.append(checkOf(state, member), actsOf(state, member));
  else figure.append(make("span", "badge stays", "Stays"), actsOf(state, member));
  return figure;
}

function headOf(state, group) {
  const head = make("header");
  const title = make("div", "title");
  title.append(make("b", `tier ${group.tier}`, group.title), make("span", "line", group.line));
  if (group.doubt) title.append(make("span", "doubt", group.doubt));
  const acts = make("div", "acts");
  acts.append(
    button("act", "Keep all", "Copies, and all stay (B)", () => speak(state, group.members[0], "keep_both")),
    group.settled
      ? button("act", "Review again", "Back among those to review", () => say(state, { act: "unsettle", group: group.id }))
      : button("act done", "Done", "Show this group no more (Enter)", () => settle(state, group.id)),
  );
  head.append(title, acts);
  return head;
}

function groupOf(state, group) {
  const section = make("section", "group");
  section.setAttribute("role", "listitem");
  section.dataset.group = group.id;
  const [kept, ...rest] = group.members.map((member) => tileOf(state, member));
  const others = make("div", "others");
  others.append(...rest);
  if (group.more) {
    const more = make("a", "more", `and ${group.more.toLocaleString("en")} more`);
    more.href = group.href;
    others.append(more);
  }
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
    const same = old?.text === text && !old.node.classList.contains("leaving") && !old.node.querySelector(".leaving");
    nodes.set(group.id, { text, node: same ? old.node : groupOf(state, group) });
  }
  state.nodes = nodes;
  const wanted = [...nodes.values()].map(({ node }) => node);
  const shown = [...state.list.children];
  if (wanted.length !== shown.length || wanted.some((node, at) => node !== shown[at])) state.list.replaceChildren(...wanted);
  holdOn(state, hadFocus);
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
  if (next) take(state, next, focus && !same);
  else state.inHand = null;
  if (same && focus) nodeOf(state, same).focus({ preventScroll: true });
}

function stepped(state, key) {
  const members = membersOf(state);
  const at = members.findIndex((member) => keyOf(member) === state.inHand);
  if (key === "ArrowRight") return members[at + 1];
  if (key === "ArrowLeft") return members[at - 1];
  const group = state.groups.findIndex((one) => one.id === members[at]?.group);
  const beside = state.groups[group + (key === "ArrowDown" ? 1 : -1)];
  return beside?.members[1] ?? beside?.members[0];
}

function onKey(event, state) {
  if (typing(event) || state.viewer.isOpen() || document.querySelector("[role=dialog]")) return;
  const inside = state.root.activeElement?.closest?.(".tile");
  const idle = document.activeElement === document.body;
  if (!inside && !idle) return;
  const arrow = /^Arrow(Left|Right|Up|Down)$/.test(event.key);
  if (arrow) take(state, inside ? stepped(state, event.key) : find(state, state.inHand) ?? membersOf(state)[0]);
  else if (inside && event.key.toLowerCase() === "c") state.viewer.open(state.inHand);
  else if (isActKey(event) && (inside || event.key.toLowerCase() === "z")) doKey(state, actKey(event), find(state, state.inHand));
  else return;
  event.preventDefault();
}

const actKey = (event) => (event.key === "Enter" ? "Enter" : event.key.toLowerCase());

function onClick(event, state) {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  take(state, find(state, tile.dataset.key));
  if (event.target.closest(".frame")) state.viewer.open(tile.dataset.key);
}

function start(root) {
  const state = {
    root, list: root.querySelector(".groups"), groups: [], nodes: new Map(), unheard: [], n: 0, place: 0,
    from: Math.random().toString(36).slice(2), inHand: null,
  };
  state.viewer = makeCompare(root, state);
  for (const [key, means] of KEYS) root.querySelector(".keys").append(make("kbd", "", key), ` ${means}  `);
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
