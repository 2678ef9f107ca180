// Precision and recall over the threshold. data: {svg}, drawn on the server: numbers and words of ours, nobody else's

export default function curve({ data, parentElement }) {
  const plot = new DOMParser().parseFromString(data.svg, "image/svg+xml").documentElement;
  parentElement.querySelector(".plot").replaceChildren(plot);
}
