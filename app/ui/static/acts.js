// What a person says of groups, on its way to the server: all that was not heard is sent again until it is.
// An act: {n, act: mark | word | keep | settle | unsettle | undo, group, location?, image?, marked?, word?}

const RESEND_MS = 2500;
const WORDS = { d: "different", s: "same_scene", b: "keep_both" };
const ACT_KEYS = [
  ["x", "mark for quarantine, or not"], ["d", "different: no copies of each other"], ["b", "keep both"],
  ["s", "another shot of the same scene"], ["m", "make this the one to keep"], ["f", "finished with this group"],
  ["u", "undo the last"],
];

const keyOf = (member) => `${member.group}:${member.location}`;

function say(state, act) {
  state.n += 1;
  state.unheard.push({ n: state.n, ...act });
  send(state);
}

function send(state) {
  clearTimeout(state.again);
  state.trigger("acts", { from: state.from, acts: state.unheard });
  awaitAnswer(state);
}

// a page that is being drawn is about to answer; to ask it anew would undo a click that it has not shown yet
function awaitAnswer(state) {
  const drawing = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "running";
  state.again = setTimeout(() => {
    if (!state.unheard.length) return;
    if (drawing()) awaitAnswer(state);
    else send(state);
  }, RESEND_MS);
}

function hear(state, heard) {
  if (heard?.from !== state.from) return;
  state.unheard = state.unheard.filter((act) => act.n > heard.n);
  if (!state.unheard.length) clearTimeout(state.again);
}

// what was marked here and not heard yet shows already
function withMarks(state, group) {
  const marks = new Map(state.unheard.filter((act) => act.act === "mark").map((act) => [keyOf(act), act.marked]));
  const members = group.members.map((member) => ({ ...member, marked: marks.get(keyOf(member)) ?? member.marked }));
  return { ...group, members };
}

function toggle(state, member) {
  if (!member.mayGo) return;
  member.marked = !member.marked;
  nodeOf(state, member)?.classList.toggle("marked", member.marked);
  say(state, { act: "mark", group: member.group, location: member.location, marked: member.marked });
}

// of a copy: of it and the keeper; of the keeper: of all in its group
function speak(state, member, word) {
  leave(member.keeper ? state.nodes.get(member.group)?.node : nodeOf(state, member));
  say(state, { act: "word", word, group: member.group, image: member.keeper ? null : member.image });
}

function keep(state, member) {
  if (!member.keeper) say(state, { act: "keep", group: member.group, image: member.image });
}

function settle(state, group, settled = true) {
  leave(state.nodes.get(group)?.node);
  say(state, { act: settled ? "settle" : "unsettle", group });
}

const leave = (node) => node?.classList.add("leaving");
const plainKey = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

// whether the key was one of these
function actOn(state, key, member) {
  if (key === "u") say(state, { act: "undo" });
  else if (!member) return false;
  else if (key === "x") toggle(state, member);
  else if (key === "m") keep(state, member);
  else if (key === "f") settle(state, member.group);
  else if (WORDS[key]) speak(state, member, WORDS[key]);
  else return false;
  return true;
}

function button(className, text, title, onClick) {
  const made = make("button", className, text);
  Object.assign(made, { type: "button", title, tabIndex: -1 });
  made.onclick = (event) => {
    event.stopPropagation();
    onClick();
  };
  return made;
}
