// The page: what is asked for, and the two waves of its answer.

import * as api from './api.js';
import { Cards } from './cards.js';
import * as details from './details.js';
import { find, make, many } from './dom.js';
import { Filters } from './filters.js';
import { shrink, watch } from './picture.js';
import { asks, bodyOf, empty, filterOf, read, split, write } from './state.js';

const [PAGE, MOST, RERANK, TYPING, SLOW] = [24, 192, 50, 180, 150];
const [input, count, notice] = ['text', 'count', 'notice'].map(find);
let state = read(location.search);
let top = PAGE;
let running = new AbortController();
let again = 0;

const cards = new Cards(find('cards'), {
  open: (hit) => details.open(find('details'), hit, { like, unlike }),
  like: (hit) => like(hit), unlike: (hit) => unlike(hit), text: () => state.text.trim(),
});
const filters = new Filters(find('filters'), (part, name, value) => {
  if (name === null) return void refreshFilters();
  state[part] = Object.assign(empty()[part], state[part], { [name]: value });
  if (Array.isArray(value) && !value.length) delete state[part][name];
  go();
});

function like(hit) { add('like', hit); }
function unlike(hit) { add('unlike', hit); }
function add(part, hit) {
  state[part] = [...new Set([...state[part], hit.product_id])];
  go();
  scrollTo({ top: 0 });
}

// A new question: into the address, and asked.
function go({ replace = false } = {}) {
  top = PAGE;
  history[replace ? 'replaceState' : 'pushState'](null, '', write(state));
  ask();
}

async function ask() {
  running.abort();
  clearTimeout(again);
  running = new AbortController();
  const { signal } = running;
  let shown = false;
  chips();
  const slow = setTimeout(() => { if (!signal.aborted) { cards.wait(); count.textContent = 'Searching…'; } }, SLOW);
  try {
    refreshFilters(signal);
    show(await api.search(bodyOf(state, top, 0), signal), slow);
    shown = true;
    if (asks(state)) show(await api.search(bodyOf(state, top, Math.max(RERANK, top)), signal), slow);
  } catch (error) {
    clearTimeout(slow);
    if (error.name !== 'AbortError' && !signal.aborted) fail(error, shown);
  }
}

async function refreshFilters(signal) {
  try {
    const found = await api.facets({ facets: state.facets, filter: filterOf(state) }, signal);
    filters.show(found.facets, state);
  } catch { /* the search says what is wrong */ }
}

function show(answer, slow) {
  clearTimeout(slow);
  cards.show(answer.hits);
  document.documentElement.dataset.wave = answer.reranked || !asks(state) ? 'last' : 'first';
  count.textContent = answer.matches
    ? `${many(answer.matches, 'product')}${asks(state) ? ', best first' : ''}` : 'No products are left';
  find('more')?.parentElement.remove();
  if (answer.matches > answer.hits.length && answer.hits.length < MOST) {
    find('results').append(make('p', { class: 'end' }, make('button', { id: 'more', type: 'button', onclick: () => { top = Math.min(MOST, top + PAGE); ask(); } }, 'Show more')));
  }
  if (!answer.matches) say('Nothing is left under these filters.', 'Remove the filters', () => { state = { ...state, facets: empty().facets, ranges: empty().ranges }; go(); });
  else if (answer.nothing_matches) say('Nothing here matches well. These come nearest.');
  else notice.hidden = true;
}

function say(words, action, run) {
  notice.replaceChildren(make('p', {}, words), ...(action ? [make('button', { type: 'button', onclick: run }, action)] : []));
  notice.hidden = false;
}

// What the first wave has shown stays when the second one fails.
function fail(problem, shown) {
  if (problem.status === 503 && problem.retryAfter) {
    count.textContent = 'The shop is busy';
    say(`Many are searching just now. Trying again in ${problem.retryAfter} s.`, 'Try now', ask);
    again = setTimeout(ask, 1000 * problem.retryAfter);
    return;
  }
  if (!shown) {
    cards.clear();
    count.textContent = 'No answer';
  }
  say([problem.message, ...(problem.details ?? [])].join(' '), 'Try again', ask);
}

function chips() {
  const chip = (words, kind, remove, picture) => make('li', { class: `chip ${kind}` },
    picture ? make('img', { src: picture, alt: '' }) : null, make('span', {}, words),
    make('button', { type: 'button', 'aria-label': `Remove ${words}`, onclick: () => { remove(); go(); } }, '×'));
  const without = (part, value) => () => { state[part] = state[part].filter((each) => each !== value); };
  const thumbnail = (id) => `/v1/thumbnails/${encodeURIComponent(id)}`;
  find('chips').replaceChildren(
    ...(state.image ? [chip('your picture', 'image', () => { state.image = null; }, state.image.url)] : []),
    ...state.unwanted.map((word) => chip(word, 'without', without('unwanted', word))),
    ...state.like.map((id) => chip(`like ${id}`, 'like', without('like', id), thumbnail(id))),
    ...state.unlike.map((id) => chip(`not like ${id}`, 'unlike', without('unlike', id), thumbnail(id))));
}

async function take(file) {
  try {
    state.image = await shrink(file);
    go();
  } catch {
    say(`${file.name || 'This file'} cannot be read as a picture. Try a JPEG, PNG or WebP.`);
  }
}

let typing = 0;
function typed(finished) {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const { text, unwanted } = split(finished ? `${input.value} ` : input.value);
    if (unwanted.length) input.value = text;
    state.text = text;
    state.unwanted = [...new Set([...state.unwanted, ...unwanted])];
    go({ replace: !unwanted.length && location.search.includes('q=') });
  }, finished ? 0 : TYPING);
}

input.addEventListener('input', () => typed(false));
find('search').addEventListener('submit', (event) => {
  event.preventDefault();
  typed(true);
});
find('open-filters').addEventListener('click', (event) => {
  event.currentTarget.setAttribute('aria-expanded', String(find('filters').classList.toggle('open')));
});
addEventListener('keydown', (event) => {
  if (event.key === '/' && !event.target.matches('input, textarea')) { event.preventDefault(); input.select(); }
});
addEventListener('popstate', () => {
  state = { ...read(location.search), image: state.image };
  input.value = state.text;
  ask();
});
addEventListener('offline', () => say('You are offline. The search goes on when you are back.'));
addEventListener('online', ask);
find('mark').addEventListener('click', (event) => { event.preventDefault(); state = empty(); input.value = ''; go(); });
watch({ input: find('file'), veil: find('drop'), take });

input.value = state.text;
ask();
api.about().then(({ name }) => { find('mark').textContent = name; document.title = `${name} · search`; }).catch(() => {});
