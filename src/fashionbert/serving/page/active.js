// Filters that are on: as the shop itself writes them, and those that no control shows.

import { empty, named, spanOf } from './state.js';

const NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const EXACT = 15; // digits that a number surely holds: longer ones are codes
const folded = (words) => words.toUpperCase().toLowerCase(); // "ß" is "ss", as it is to the service
const meaning = (value) => (NUMBER.test(value) && value.length <= EXACT ? String(Number(value)) : folded(value));

// A link may write names and values in other letters than the shop, and means the same.
export function asWritten(state, attributes, facets) {
  const names = [...new Set([...attributes, ...facets.map(({ name }) => name)])];
  const own = (part) => {
    const found = empty().facets;
    for (const [name, chosen] of Object.entries(part)) {
      const alike = names.filter((each) => folded(each) === folded(name));
      // Two spellings of one name: both must hold, so they stay two.
      const only = !names.includes(name) && alike.length === 1 && !(alike[0] in part) && !(alike[0] in found);
      found[only ? alike[0] : name] = chosen;
    }
    return found;
  };
  const ticked = own(state.facets);
  for (const { name, values } of facets) {
    const find = (value) => values.find((each) => each.value === value) ?? values.find((each) => meaning(each.value) === meaning(value));
    if (name in ticked) ticked[name] = [...new Set(ticked[name].map((value) => find(value)?.value ?? value))];
  }
  return { ...state, facets: ticked, ranges: own(state.ranges) };
}

// `shown` has the part of the state that the control of each attribute sets.
export function unseen(state, shown) {
  const without = (part) => Object.entries(state[part]).filter(([name]) => shown.get(name) !== part);
  return [
    ...without('facets').flatMap(([name, values]) => values.map((value) => ({
      part: 'facets', name, left: values.filter((each) => each !== value), words: `${named(name)}: ${value}`,
    }))),
    ...without('ranges').map(([name, range]) => ({ part: 'ranges', name, left: {}, words: `${named(name)} ${spanOf(range)}` })),
  ];
}
