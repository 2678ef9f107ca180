// Many pictures into a collection: two at a time, one request each, what became of them said at the end.
// data: {url, ticket, maxBytes, maxFiles}; triggers: begun -> true with the first
// answer, done -> {added, known, failed, skipped}

const AT_ONCE = 2;
const WORDS = { added: "added", known: "already here", failed: "refused", skipped: "no pictures" };

function sumOf(counts) {
  const parts = Object.entries(counts).filter(([, count]) => count);
  return parts.map(([outcome, count]) => `${count} ${WORDS[outcome]}`).join(" · ");
}

function refuse(ui, name, reason) {
  const line = document.createElement("li");
  const bold = document.createElement("b");
  bold.textContent = name;
  line.append(bold, ` ${reason}`); // text, never markup: names come from the files
  ui.refusals.append(line);
}

function show(state) {
  const { ui, sent, queue, counts } = state;
  const total = sent + queue.length + state.flying.size;
  const under = [...state.flying.values()].reduce((sum, share) => sum + share, 0);
  ui.fill.style.width = `${total ? ((sent + under) / total) * 100 : 0}%`;
  const seconds = (performance.now() - state.since) / 1000;
  const left = sent > 2 ? Math.ceil(((total - sent) * seconds) / sent) : null;
  ui.count.textContent = [`${sent} of ${total}`, counts.failed && `${counts.failed} refused`, left && `${left} s left`].filter(Boolean).join(" · ");
}

async function sendOne(state, file) {
  state.flying.set(file, 0);
  try {
    const answer = await sendFile(file, state.data, (share) => {
      state.flying.set(file, share);
      show(state);
    });
    state.counts[answer.outcome] += 1;
    if (answer.reason) refuse(state.ui, file.name, answer.reason);
  } catch (refusal) {
    state.counts.failed += 1;
    refuse(state.ui, file.name, refusal.message);
  }
  state.flying.delete(file);
  state.sent += 1;
  if (state.sent === 1) state.send("begun", true);
  show(state);
}

async function drain(state) {
  while (state.queue.length) await sendOne(state, state.queue.shift());
}

async function sendAll(state, files) {
  const { ui } = state;
  const kept = files.slice(0, state.data.maxFiles);
  if (files.length > kept.length) refuse(ui, `${files.length - kept.length} more files`, `were left out: ${kept.length} go at once. For more, add their folder below.`);
  if (state.busy) return void state.queue.push(...kept);
  Object.assign(state, { busy: true, queue: [...kept], sent: 0, counts: { added: 0, known: 0, failed: 0, skipped: 0 }, since: performance.now() });
  ui.sum.hidden = true;
  ui.sending.hidden = false;
  show(state);
  await Promise.all(Array.from({ length: AT_ONCE }, () => drain(state)));
  state.busy = false;
  ui.sending.hidden = true;
  ui.sum.hidden = false;
  ui.sum.textContent = sumOf(state.counts) || "Nothing was sent";
  state.send("done", { ...state.counts });
}

const readEntries = (reader) => new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
const fileOf = (entry) => new Promise((resolve) => entry.file((file) => resolve([file]), () => resolve([])));

async function filesBelow(entry) {
  if (entry.isFile) return fileOf(entry);
  const reader = entry.createReader();
  const found = [];
  for (let entries = await readEntries(reader); entries.length; entries = await readEntries(reader)) {
    for (const below of entries) found.push(...(await filesBelow(below)));
  }
  return found;
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files];
  return entries.length ? (await Promise.all(entries.map(filesBelow))).flat() : files;
}

function start(root) {
  const find = (name) => root.querySelector(`.${name}`);
  const ui = Object.fromEntries(["drop", "hint", "choose", "sending", "count", "stop", "sum", "refusals", "input"].map((name) => [name, find(name)]));
  ui.fill = root.querySelector(".track i");
  const state = { ui, queue: [], flying: new Map(), sent: 0, counts: {} };
  const begin = (files) => {
    if (!state.busy) ui.refusals.replaceChildren();
    if (files.length) sendAll(state, files);
  };
  ui.choose.onclick = () => ui.input.click();
  ui.input.onchange = () => {
    begin([...ui.input.files]);
    ui.input.value = "";
  };
  ui.stop.onclick = () => (state.queue.length = 0);
  ui.drop.ondragover = (event) => {
    event.preventDefault();
    ui.drop.classList.add("over");
  };
  ui.drop.ondragleave = () => ui.drop.classList.remove("over");
  ui.drop.ondrop = async (event) => {
    event.preventDefault();
    ui.drop.classList.remove("over");
    begin(await dropped(event.dataTransfer));
  };
  return state;
}

export default function uploader({ data, parentElement, setTriggerValue }) {
  const state = (parentElement.dinoseek ??= start(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  state.ui.hint.textContent = `Up to ${data.maxFiles} files of ${megabytes(data.maxBytes)} each`;
}
