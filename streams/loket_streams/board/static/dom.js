// Elements from values. Children are text or elements: nothing that was told is ever read as markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Put elements into a place, but leave what stands there if it is the same: no flicker, and a selection stays.
export function put(place, ...children) {
  const fresh = h("div", {}, ...children);
  const stands = place.childNodes;
  if (stands.length === fresh.childNodes.length && [...stands].every((node, n) => node.isEqualNode(fresh.childNodes[n]))) return;
  place.replaceChildren(...fresh.childNodes);
}

export const at = (id) => document.getElementById(id);
