// Collections as cards: a cover of up to four pictures, name, counts. A card is a link, so it opens in a new tab too.
// data: {cards: [{id?, name, href, covers: [url], line}]}; triggers: opened -> id, else name

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

function coverOf(card) {
  const cover = make("div", `cover of${card.covers.length}`);
  for (const url of card.covers) {
    const image = make("img");
    Object.assign(image, { src: url, alt: "", loading: "lazy", decoding: "async" });
    image.onerror = () => image.remove();
    cover.append(image);
  }
  return cover;
}

function cardOf(card, open) {
  const link = make("a", "card");
  link.href = card.href;
  link.append(coverOf(card), make("strong", "", card.name), make("span", "", card.line));
  link.onclick = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(card.id ?? card.name);
  };
  return link;
}

export default function shelf({ data, parentElement, setTriggerValue }) {
  const open = (name) => setTriggerValue("opened", name);
  parentElement.querySelector(".grid").replaceChildren(...data.cards.map((card) => cardOf(card, open)));
}
