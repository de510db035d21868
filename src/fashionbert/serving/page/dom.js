// Elements from names, attributes and children. Words become text nodes, never markup.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.className = value;
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Runs a change of what is in a place. The browser drops a focus that goes with it, so it is handed on.
export function keepFocus(place, lost, change) {
  const inside = place.contains(document.activeElement);
  change();
  if (inside && !place.contains(document.activeElement)) lost();
}

export const find = (id) => document.getElementById(id);
export const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
export const many = (count, one, more = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : more}`;
