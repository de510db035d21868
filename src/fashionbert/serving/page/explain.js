// Why a card was found: its words, struck through where the picture speaks against them, and the patches they look at.

import { explain } from './api.js';
import { make } from './dom.js';

const HOVER = 200;

const askedOf = (held, text) => `${text}\u0000${held.hit.view}`;

export function reasons(held, text) {
  const asked = askedOf(held, text);
  if (!text || held.hit.probability === null || held.explained === asked) return;
  held.explained = asked;
  setTimeout(async () => {
    if (held.explained !== asked || !held.element.matches(':hover, :focus-within')) {
      if (held.explained === asked) held.explained = null;
      return;
    }
    try {
      const found = await explain(text, held.hit);
      if (held.explained === asked) show(held, found);
    } catch {
      held.explained = null; // asked again at the next look
    }
  }, HOVER);
}

// Reasons for other words are no longer reasons.
export function forget(held, text) {
  if (held.explained === askedOf(held, text)) return;
  held.explained = null;
  held.why.replaceChildren();
  held.picture.querySelector('.patches')?.remove();
}

function show(held, found) {
  held.why.replaceChildren(...found.words.map((word) => {
    const [light, dark] = [() => shine(held, word, found.frame), () => held.picture.querySelector('.patches')?.remove()];
    const label = word.matched ? word.text : make('s', {}, word.text);
    const says = word.matched ? `${word.text}: light up where` : `${word.text}: does not match; light up where it was looked for`;
    return make('button', { type: 'button', 'aria-label': says, onpointerenter: light, onpointerleave: dark, onfocus: light, onblur: dark }, label);
  }));
}

// The picture lies inside its box with its shape kept; the grid lies on the picture as the service says.
function shine(held, word, [left, top, width, height]) {
  held.picture.querySelector('.patches')?.remove();
  if (!word.patches.length) return;
  const box = held.picture.getBoundingClientRect();
  const scale = Math.min(box.width / held.image.naturalWidth, box.height / held.image.naturalHeight);
  const [wide, high] = [held.image.naturalWidth * scale, held.image.naturalHeight * scale];
  const grid = make('span', { class: 'patches', 'aria-hidden': 'true' });
  Object.assign(grid.style, {
    left: `${(box.width - wide) / 2 + left * wide}px`, top: `${(box.height - high) / 2 + top * high}px`,
    width: `${width * wide}px`, height: `${height * high}px`,
    gridTemplate: `repeat(${word.patches.length}, 1fr) / repeat(${word.patches[0].length}, 1fr)`,
  });
  for (const value of word.patches.flat()) {
    const cell = make('i');
    cell.style.setProperty('--light', value);
    grid.append(cell);
  }
  held.picture.append(grid);
}
