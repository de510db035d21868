// What is asked for: kept in the address, so that the back button works and a search can be shared.

// Names of attributes come from addresses: they must never meet those that every object has, such as constructor.
const names = () => Object.create(null);
export const empty = () => ({ text: '', unwanted: [], like: [], unlike: [], facets: names(), ranges: names(), image: null });

export function read(address) {
  const state = empty();
  const words = new URLSearchParams(address);
  state.text = words.get('q') ?? '';
  const all = (name) => words.getAll(name).filter((each) => each.trim());
  [state.unwanted, state.like, state.unlike] = ['not', 'like', 'unlike'].map(all);
  for (const [key, value] of words) {
    if (key.startsWith('f.') && value) (state.facets[key.slice(2)] ??= []).push(value);
    // Written as a field for numbers shows them, which is empty for "+7" or "0x7".
    if (key.startsWith('from.') && isNumber(value)) (state.ranges[key.slice(5)] ??= {}).from = String(Number(value));
    if (key.startsWith('to.') && isNumber(value)) (state.ranges[key.slice(3)] ??= {}).to = String(Number(value));
  }
  return state;
}

// The facets, or ranges, with what is now chosen of one attribute: none of it, perhaps.
export function put(part, name, chosen) {
  const left = Object.assign(names(), part, { [name]: chosen });
  if (!Object.values(chosen).some(Boolean)) delete left[name];
  return left;
}

export function write(state) {
  const words = new URLSearchParams();
  if (state.text) words.set('q', state.text);
  state.unwanted.forEach((each) => words.append('not', each));
  state.like.forEach((id) => words.append('like', id));
  state.unlike.forEach((id) => words.append('unlike', id));
  for (const [name, values] of Object.entries(state.facets)) values.forEach((value) => words.append(`f.${name}`, value));
  for (const [name, { from, to }] of Object.entries(state.ranges)) {
    if (from) words.set(`from.${name}`, from);
    if (to) words.set(`to.${name}`, to);
  }
  return words.size ? `?${words}` : location.pathname;
}

// "dress -sleeveless" -> the words that are wanted, and those that are not.
export function split(text) {
  const unwanted = [...text.matchAll(/(?:^|\s)-(\p{L}[\p{L}\p{N}'-]*)(?=\s)/gu)].map((found) => found[1]);
  const rest = text.replace(/(^|\s)-\p{L}[\p{L}\p{N}'-]*(?=\s)/gu, '$1').replace(/\s+/g, ' ').trimStart();
  return { text: rest, unwanted };
}

const quoted = (word) => `"${word.replaceAll('"', '""')}"`;

export function filterOf(state) {
  const parts = [];
  for (const [name, { from, to }] of Object.entries(state.ranges)) {
    if (isNumber(from)) parts.push(`${quoted(name)} >= ${Number(from)}`);
    if (isNumber(to)) parts.push(`${quoted(name)} <= ${Number(to)}`);
  }
  return parts.join(' and ');
}

const isNumber = (text) => Boolean(text?.trim()) && Number.isFinite(Number(text));

export const named = (name) => name.replaceAll('_', ' ');
export const spanOf = ({ from, to }) => [from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(' ');

// What the filters say, one of them each, in words.
export const filtersOf = (state) => [
  ...Object.entries(state.facets).map(([name, values]) => `${named(name)} ${values.join(' or ')}`),
  ...Object.entries(state.ranges).map(([name, range]) => `${named(name)} ${spanOf(range)}`),
];

export const asks = (state) =>
  Boolean(state.text.trim() || state.image || state.unwanted.length || state.like.length || state.unlike.length);

// Whether there is something for the pair model to read, and so a second wave; it knows no products to be like.
export const reads = (state) => Boolean(state.text.trim() || state.image || state.unwanted.length);

export function bodyOf(state, top, rerank) {
  return {
    text: state.text.trim(), image: state.image?.base64 ?? null, not: state.unwanted, more_like: state.like,
    less_like: state.unlike, facets: state.facets, filter: filterOf(state), top, rerank,
  };
}
