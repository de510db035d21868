// What is asked for and stands in no field or control: a chip each, which can be taken away.

import { product } from './api.js';
import { make } from './dom.js';

export class Chips {
  constructor(list, { remove, next }) {
    Object.assign(this, { list, remove, next, titles: new Map() });
  }

  // Products are called by their words; a shared link brings ids alone.
  learn(hits) {
    for (const { product_id: id, text } of hits) this.titles.set(id, text);
  }

  // The focus of a chip that was taken away goes to the one that has moved up to its place.
  show(state, filters) {
    const place = [...this.list.children].findIndex((each) => each.contains(document.activeElement));
    this.list.replaceChildren(
      ...(state.image ? [this.chip('your picture', 'image', state.image, state.image.url)] : []),
      ...state.unwanted.map((word) => this.chip(word, 'unwanted', word)),
      ...state.like.map((id) => this.product('like', id)),
      ...state.unlike.map((id) => this.product('unlike', id)),
      ...filters.map((filter) => this.chip(filter.words, 'filter', filter)));
    this.filtered = wordsOf(filters);
    if (place >= 0) (this.list.children[place]?.querySelector('button') ?? this.next()).focus();
  }

  // Which filters have no control is known later than the rest, which then stays as it is where it can.
  filter(state, filters) { if (wordsOf(filters) !== this.filtered) this.show(state, filters); }

  chip(words, part, value, picture) {
    const image = picture ? make('img', { src: picture, alt: '', onerror: () => image.remove() }) : null;
    const button = make('button', { type: 'button', onclick: () => this.remove(part, value) }, '×');
    return named(make('li', { class: `chip ${part === 'unwanted' ? 'without' : part}` }, image, make('span'), button), words);
  }

  product(part, id) {
    const words = (title) => `${part === 'like' ? 'like' : 'not like'} ${title}`;
    const chip = this.chip(words(this.titles.get(id) ?? id), part, id, `/v1/thumbnails/${encodeURIComponent(id)}`);
    if (!this.titles.has(id)) {
      product(id).then((found) => { this.learn([found]); named(chip, words(found.text)); }, () => { /* the search says that it is gone */ });
    }
    return chip;
  }
}

const wordsOf = (filters) => filters.map(({ words }) => words).join('\n');

function named(chip, words) {
  Object.assign(chip.querySelector('span'), { textContent: words, title: words });
  chip.querySelector('button').setAttribute('aria-label', `Remove ${words}`);
  return chip;
}
