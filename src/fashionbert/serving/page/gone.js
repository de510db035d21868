// A link outlives what it asks for: which attributes and products of it the shop no longer has.

import * as api from './api.js';
import { empty } from './state.js';

const low = (name) => name.toLowerCase();
const listed = (names) => names.map((name) => `“${name.replaceAll('_', ' ')}”`).join(', ');
const keep = (part, names) => {
  const left = Object.assign(empty().facets, part);
  for (const name of names) delete left[name];
  return left;
};

export async function goneOf(state) {
  const there = new Set((await api.about()).attributes.map(low));
  const names = new Set([...Object.keys(state.facets), ...Object.keys(state.ranges)].filter((name) => !there.has(low(name))));
  const ids = [...new Set([...state.like, ...state.unlike])];
  const lost = await Promise.all(ids.map((id) => api.product(id).then(() => false, ({ status }) => status === 404)));
  return { names: [...names], ids: ids.filter((_, place) => lost[place]) };
}

// What stays of the parts of a question that name attributes or products.
export function without(state, { names, ids }) {
  const left = (part) => part.filter((id) => !ids.includes(id));
  return { facets: keep(state.facets, names), ranges: keep(state.ranges, names), like: left(state.like), unlike: left(state.unlike) };
}

// What is said of it, and the words of the button that takes it out of the question.
export function tell({ names, ids }) {
  const said = [];
  if (names.length) said.push(`This search filters by ${listed(names)}, which products here do not have any more.`);
  if (ids.length) said.push(`The product${ids.length > 1 ? 's' : ''} ${ids.join(', ')} ${ids.length > 1 ? 'are' : 'is'} not here any more.`);
  const what = ids.length ? (names.length + ids.length > 1 ? 'them' : 'it') : `the filter${names.length > 1 ? 's' : ''}`;
  return { words: said.join(' '), action: `Remove ${what}` };
}
