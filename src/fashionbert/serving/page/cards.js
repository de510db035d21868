// The grid of cards. A card keeps its element from one answer to the next, so that it can move to its new place.

import { keepFocus, make, still } from './dom.js';
import { forget, reasons } from './explain.js';

export const LONGEST_FACT = 24;

// Only what was set right on known answers is called likely or not; else it is the model's score.
export function matchOf(hit) {
  const value = hit.confidence ?? hit.probability;
  if (value === null) return null;
  const percent = `${Math.round(100 * value)} %`;
  if (hit.confidence === null) return { value, name: 'Score', words: percent };
  return { value, name: 'Match', words: `${percent} · ${value >= 0.7 ? 'likely' : value >= 0.3 ? 'possible' : 'unlikely'}` };
}

const meterOf = ({ value, name, words }) => [
  make('meter', { min: 0, max: 1, value, 'aria-hidden': 'true' }),
  name === 'Match' ? make('span', {}, words, make('span', { class: 'long' }, ' match')) : make('span', {}, `score ${words}`),
];

export function factsOf(hit) {
  const short = Object.values(hit.attributes).filter((value) => value.length <= LONGEST_FACT && !hit.text.startsWith(value));
  return [...new Set([hit.subcategory || hit.category, ...short].filter(Boolean))].slice(0, 4).join(' · ');
}

export class Cards {
  constructor(list, { open, like, unlike, text, lost }) {
    Object.assign(this, { list, open, like, unlike, text, lost, held: new Map() });
    list.addEventListener('keydown', (event) => this.walk(event));
  }

  // Room is left for scores and reasons where they will come. Returns the pictures of the cards that were not there before.
  show(hits, { scored, worded }) {
    const before = this.places();
    const elements = hits.map((hit) => this.card(hit));
    this.list.removeAttribute('aria-busy');
    this.list.classList.toggle('scored', scored);
    this.list.classList.toggle('worded', worded);
    keepFocus(this.list, this.lost, () => this.arrange(elements));
    const kept = new Set(hits.map(keyOf));
    for (const key of this.held.keys()) if (!kept.has(key)) this.held.delete(key);
    if (!still()) this.move(before);
    for (const held of this.held.values()) if (held.element.matches(':hover, :focus-within')) reasons(held, this.text());
    return hits.map(keyOf).filter((key) => !before.has(key)).map((key) => this.held.get(key).picture);
  }

  // A card with the focus is never taken out, which would lose the focus; the others are set around it.
  arrange(elements) {
    const place = elements.findIndex((each) => each.contains(document.activeElement));
    if (place < 0) return this.list.replaceChildren(...elements);
    for (const each of [...this.list.children]) if (each !== elements[place]) each.remove();
    elements[place].before(...elements.slice(0, place));
    elements[place].after(...elements.slice(place + 1));
  }

  wait(count = 12) {
    this.held.clear();
    this.list.setAttribute('aria-busy', 'true');
    const shape = () => make('li', { class: 'card skeleton', 'aria-hidden': 'true' },
      make('div', { class: 'picture' }), make('div', { class: 'title' }));
    keepFocus(this.list, this.lost, () => this.list.replaceChildren(...Array.from({ length: count }, shape)));
  }

  clear() {
    this.held.clear();
    this.list.removeAttribute('aria-busy');
    keepFocus(this.list, this.lost, () => this.list.replaceChildren());
  }

  places() {
    return new Map([...this.held].map(([key, { element }]) => [key, element.getBoundingClientRect()]));
  }

  // Where it stood, minus where it stands: the way it comes from.
  move(before) {
    for (const [key, { element }] of this.held) {
      const now = element.getBoundingClientRect();
      const from = before.get(key);
      const steps = from
        ? [{ transform: `translate(${from.x - now.x}px, ${from.y - now.y}px)` }, { transform: 'none' }]
        : [{ opacity: 0 }, { opacity: 1 }];
      if (!from || from.x !== now.x || from.y !== now.y) element.animate(steps, { duration: 420, easing: 'cubic-bezier(.2,.7,.2,1)' });
    }
  }

  card(hit) {
    const key = keyOf(hit);
    const held = this.held.get(key) ?? this.make(hit);
    held.hit = hit;
    this.held.set(key, held);
    const match = matchOf(hit);
    held.match.replaceChildren(...(match ? meterOf(match) : []));
    forget(held, this.text());
    return held.element;
  }

  make(hit) {
    const image = make('img', { src: hit.thumbnail, alt: '', loading: 'lazy', decoding: 'async' });
    const picture = make('button', { class: 'picture', type: 'button', 'aria-label': `Details: ${hit.text}`, onclick: () => this.open(held.hit) }, image);
    const match = make('p', { class: 'match' });
    const why = make('p', { class: 'why' });
    const element = make('li', { class: 'card' }, picture,
      make('p', { class: 'title', title: hit.text }, hit.text), make('p', { class: 'facts' }, factsOf(hit)), match, why,
      make('div', { class: 'actions' },
        make('button', { type: 'button', onclick: () => this.like(held.hit), 'aria-label': `More like: ${hit.text}` }, 'More like this'),
        make('button', { type: 'button', onclick: () => this.unlike(held.hit), 'aria-label': `Not like: ${hit.text}` }, 'Not this')));
    const held = { element, picture, image, match, why, hit, explained: null };
    const look = () => reasons(held, this.text());
    element.addEventListener('pointerenter', look);
    element.addEventListener('focusin', look);
    return held;
  }

  walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns(), ArrowUp: -this.columns() }[event.key];
    const pictures = [...this.list.querySelectorAll('button.picture')];
    const here = pictures.indexOf(document.activeElement);
    if (!step || here < 0) return;
    event.preventDefault();
    pictures[Math.max(0, Math.min(pictures.length - 1, here + step))].focus();
  }

  columns() {
    return getComputedStyle(this.list).gridTemplateColumns.split(' ').length;
  }
}

const keyOf = (hit) => `${hit.group_id || hit.product_id}\u0000${hit.product_id}\u0000${hit.view}`;
