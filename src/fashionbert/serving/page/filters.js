// Filters from the catalogue's own attributes, with the cards that each value has.

import { make } from './dom.js';
import { named } from './state.js';

const SHOWN = 8;

// A choice is told as what becomes of the choices of that moment: others may have been made since the filters were drawn.
export class Filters {
  constructor(place, changed) {
    Object.assign(this, { place, changed, opened: new Set(), shown: null });
  }

  show(facets, state) {
    const focus = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const keyed = () => [...this.place.querySelectorAll('[data-key]')];
    const before = new Set(keyed().map((each) => each.dataset.key));
    const scrolled = this.place.scrollTop;
    const usable = facets.filter((facet) => facet.values.length > 1 || facet.low !== null || state.facets[facet.name]);
    this.place.replaceChildren(...usable.map((facet) => (facet.low === null ? this.ticks(facet, state) : this.range(facet, state))));
    this.place.scrollTop = scrolled;
    this.shown = new Map(usable.map(({ name, low }) => [name, low === null ? 'facets' : 'ranges']));
    if (!focus) return;
    // "Show all" goes when all are shown; the first that it showed has the focus then.
    const keys = keyed();
    (keys.find((each) => each.dataset.key === focus) ?? keys.find((each) => !before.has(each.dataset.key)) ?? keys[0])?.focus();
  }

  ticks(facet, state) {
    const ticked = state.facets[facet.name] ?? [];
    const missing = ticked.filter((value) => !facet.values.some((each) => each.value === value));
    const values = [...facet.values, ...missing.map((value) => ({ value, cards: 0 }))];
    const open = this.opened.has(facet.name) || values.length <= SHOWN + 2;
    const shown = open ? values : values.filter(({ value }, place) => place < SHOWN || ticked.includes(value));
    const all = open ? null : make('button', { class: 'more', type: 'button', 'data-key': `more ${facet.name}`, onclick: () => {
      this.opened.add(facet.name);
      this.changed(facet.name, null);
    } }, `Show all ${values.length}`);
    return make('fieldset', {}, make('legend', {}, named(facet.name)), ...shown.map(({ value, cards }) => make('label', { class: 'tick' },
      make('input', { type: 'checkbox', checked: ticked.includes(value), 'data-key': `${facet.name} ${value}`, onchange: (event) => {
        const on = event.target.checked;
        this.changed('facets', facet.name, (now = []) => (on ? [...now, value] : now.filter((each) => each !== value)));
      } }), make('span', { title: value }, value), make('small', {}, String(cards)))), all);
  }

  range(facet, state) {
    const range = state.ranges[facet.name] ?? {};
    const field = (end, hint) => make('input', { type: 'number', step: 'any', placeholder: String(hint), value: range[end] ?? '',
      'data-key': `${facet.name} ${end}`, 'aria-label': `${named(facet.name)} ${end}`,
      onchange: (event) => this.changed('ranges', facet.name, (now) => ({ ...now, [end]: event.target.value })) });
    return make('fieldset', {}, make('legend', {}, named(facet.name)),
      make('div', { class: 'range' }, field('from', facet.low), '–', field('to', facet.high)));
  }
}
