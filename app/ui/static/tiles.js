// What every grid of pictures is made of.

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text; // never innerHTML: names come from strangers
  return element;
};

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function middleCut(name) {
  const line = make("div", "name");
  line.title = name;
  const tail = name.length > 16 ? 8 : 0; // the end of a file name tells siblings apart, so it always shows
  line.append(make("span", "head", name.slice(0, name.length - tail)), make("span", "tail", name.slice(name.length - tail)));
  return line;
}

function scoreLine(tile) {
  const line = make("div", "score");
  line.title = tile.number;
  const bar = make("span", "bar");
  const fill = make("i");
  fill.style.width = `${tile.share * 100}%`;
  bar.append(fill);
  line.append(bar);
  line.append(make("span", tile.word ? "word" : "", tile.word || tile.number));
  return line;
}

function pictureOf(tile) {
  const image = make("img");
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = tile.name;
  image.src = tile.thumb;
  image.draggable = false;
  image.addEventListener("error", () => image.closest(".frame")?.classList.add("lost"));
  return image;
}

function typing(event) {
  const target = event.composedPath()[0];
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName || "");
}

const plainClick = (event) => !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);

function sharpen(image, thumb, picture) {
  image.src = thumb;
  if (!picture) return;
  const large = new Image();
  large.onload = () => {
    if (image.dataset.wanted === picture) image.src = picture;
  };
  image.dataset.wanted = picture;
  large.src = picture;
}

function fillDetails(list, pairs) {
  list.replaceChildren(
    ...pairs.map(([term, text]) => {
      const pair = make("div");
      pair.append(make("dt", "", term), make("dd", "", text));
      pair.lastChild.title = text;
      return pair;
    }),
  );
}
