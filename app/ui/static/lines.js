// What is drawn over pictures.

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// twice: dark and wide below, bright and thin above, so that it is seen on any picture
const edged = (tag, attributes) => [shape(tag, { ...attributes, class: "under" }), shape(tag, { ...attributes, class: "over" })];

// over a thumbnail, cut as that is cut
function outlineOf({ outline, width, height }, whole) {
  const points = outline.map(([x, y]) => `${x * width},${y * height}`).join(" ");
  const fitting = `xMidYMid ${whole ? "meet" : "slice"}`;
  const cover = { class: "outline", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: fitting, "aria-hidden": true };
  return shape("svg", cover, ...edged("polygon", { points }));
}
