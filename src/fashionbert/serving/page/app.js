// The page: what is asked for, and the two waves of its answer.

import { asWritten, unseen } from './active.js';
import * as api from './api.js';
import { Cards } from './cards.js';
import { Chips } from './chips.js';
import * as details from './details.js';
import { find, keepFocus, make, many } from './dom.js';
import { Filters } from './filters.js';
import { goneOf, tell, without } from './gone.js';
import { recall, shrink, watch } from './picture.js';
import { asks, bodyOf, empty, filterOf, filtersOf, put, read, reads, split, write } from './state.js';

const [PAGE, MOST, RERANK, TYPING, SLOW] = [24, 192, 50, 180, 150];
const [input, count, notice, results] = ['text', 'count', 'notice', 'results'].map(find);
let state = empty();
let top = PAGE;
let running = new AbortController();
let again = 0;
let told = ''; // of how many there are

const toResults = () => results.focus({ preventScroll: true });
const cards = new Cards(find('cards'), {
  open: (hit) => details.open(find('details'), hit, { like, unlike }),
  like: (hit) => like(hit), unlike: (hit) => unlike(hit), text: () => state.text.trim(), lost: toResults,
});
const chips = new Chips(find('chips'), {
  remove: (part, value) => {
    if (part === 'filter') choose(value.part, value.name, value.left);
    else change({ [part]: part === 'image' ? null : state[part].filter((each) => each !== value) });
  },
  // On a touch screen the field would bring up the keyboard that nobody asked for.
  next: () => (matchMedia('(hover: hover)').matches ? input : results),
});
const filters = new Filters(find('filters'), (part, name, become) => {
  if (name === null) refreshFilters(running.signal);
  else choose(part, name, become(state[part][name]));
});
let known; // asked for anew where it could not be had
const about = () => (known ??= api.about().catch(() => { known = null; return { name: '', attributes: [] }; }));

function like(hit) { add('like', hit); }
function unlike(hit) { add('unlike', hit); }
function add(part, hit) {
  toResults(); // before the card goes, and its button with it
  change({ [part]: [...new Set([...state[part], hit.product_id])] });
  scrollTo({ top: 0 });
}

function choose(part, name, chosen) { change({ [part]: put(state[part], name, chosen) }); }

function change(parts) {
  state = { ...state, ...parts };
  if ('text' in parts) input.value = state.text; // else what is being typed stays
  go();
}

// A new question: into the address, and asked.
function go({ replace = false } = {}) {
  top = PAGE;
  const here = location.search === new URL(write(state), location).search && history.state?.picture === numberOf(state.image);
  history[replace || here ? 'replaceState' : 'pushState']({ picture: numberOf(state.image) }, '', write(state));
  ask();
}

const numberOf = (image) => image?.number ?? null;

// The question of this place in the history. A link to a part of the page makes one without a picture's number.
function arrive() {
  const { picture } = history.state ?? { picture: numberOf(state.image) };
  state = { ...read(location.search), image: recall(picture) };
  history.replaceState({ picture: numberOf(state.image) }, '', write(state));
  input.value = state.text;
  ask();
}

// More of the same question needs no first wave: the cards that are there stay until all are in order.
async function ask({ more = false } = {}) {
  running.abort();
  clearTimeout(again);
  running = new AbortController();
  const { signal } = running;
  let shown = more;
  const slow = setTimeout(() => { if (!signal.aborted) wait(more); }, SLOW);
  try {
    if (!more) {
      chips.show(state, unseenFilters());
      refreshFilters(signal);
    }
    const usual = reads(state) ? (await about()).rerank ?? RERANK : 0;
    const waves = usual ? [0, Math.max(usual, top)].slice(more ? 1 : 0) : [0];
    for (const rerank of waves) {
      const answer = await api.search(bodyOf(state, top, rerank), signal);
      clearTimeout(slow);
      show(answer, rerank === waves.at(-1));
      shown = true;
    }
  } catch (error) {
    clearTimeout(slow);
    if (error.name !== 'AbortError' && !signal.aborted) fail(error, shown, signal);
  }
}

function wait(more) {
  count.textContent = 'Searching…';
  if (more) return void (find('more').textContent = 'Searching…');
  hush(); // it was said of another question
  cards.wait();
}

async function refreshFilters(signal) {
  const chosen = filtersOf(state).length;
  find('open-filters').textContent = chosen ? `Filter · ${chosen}` : 'Filter';
  try {
    const asked = api.facets({ facets: state.facets, filter: filterOf(state) }, signal);
    const [{ facets }, { attributes }] = await Promise.all([asked, about()]);
    if (signal?.aborted) return;
    const linked = write(state);
    state = asWritten(state, attributes, facets);
    if (write(state) !== linked) history.replaceState(history.state, '', write(state));
    filters.show(facets, state);
  } catch { // the search says what is wrong
    if (signal?.aborted) return;
    filters.shown = new Map(); // its controls may be those of another question
  }
  chips.filter(state, unseenFilters());
}

const unseenFilters = () => (filters.shown ? unseen(state, filters.shown) : []);

function show(answer, last) {
  chips.learn(answer.hits);
  const [fresh] = cards.show(answer.hits, { scored: reads(state), worded: Boolean(state.text.trim()) });
  document.documentElement.dataset.wave = last ? 'last' : 'first';
  told = count.textContent = answer.matches
    ? `${many(answer.matches, 'product')}${asks(state) ? ', best first' : ''}` : 'No products are left';
  offerMore(answer.matches > answer.hits.length && answer.hits.length < MOST, fresh);
  const chosen = filtersOf(state);
  if (!answer.matches && chosen.length) say(`Nothing is left under these filters: ${chosen.join('; ')}.`, 'Remove the filters', removeFilters);
  else if (!answer.matches) say('There are no products to show.');
  else if (answer.nothing_matches) say('Nothing here matches well. These come nearest.');
  else hush();
}

function removeFilters() { change({ facets: empty().facets, ranges: empty().ranges }); }

// Whoever asked for more goes on at the first card that is new; a click has it before the eyes already.
function offerMore(isMore, fresh) {
  const old = find('more');
  const [asked, byKey] = [old && old === document.activeElement, old?.matches(':focus-visible')];
  old?.parentElement.remove();
  const onclick = () => { top = Math.min(MOST, top + PAGE); ask({ more: true }); };
  if (isMore) results.append(make('p', { class: 'end' }, make('button', { id: 'more', type: 'button', onclick }, 'Show more')));
  if (asked) (fresh ?? find('more') ?? results).focus({ preventScroll: !byKey });
}

function say(words, action, run) {
  const onclick = () => { toResults(); run(); };
  keepFocus(notice, toResults, () => notice.replaceChildren(
    make('p', {}, words), ...(action ? [make('button', { type: 'button', onclick }, action)] : [])));
  notice.hidden = false;
}

function hush() {
  keepFocus(notice, toResults, () => notice.replaceChildren());
  notice.hidden = true;
}

// What is shown already stays when the second wave, or more of it, fails.
function fail(problem, shown, signal) {
  if (find('more')) find('more').textContent = 'Show more';
  if (problem.status === 503 && problem.retryAfter) {
    count.textContent = 'The shop is busy';
    say(`Many are searching just now. Trying again in ${problem.retryAfter} s.`, 'Try now', ask);
    again = setTimeout(ask, 1000 * problem.retryAfter);
    return;
  }
  if (!shown) {
    cards.clear();
    offerMore(false);
  }
  count.textContent = shown ? told : 'No answer';
  if (problem.status === 422) refuse(problem, signal);
  else say(sentences(problem), 'Try again', ask);
}

// The same question would be refused again: what cannot be answered has to leave it.
async function refuse(problem, signal) {
  const gone = await goneOf(state).catch(() => ({ names: [], ids: [] }));
  if (signal.aborted) return;
  if (gone.names.length || gone.ids.length) {
    const { words, action } = tell(gone);
    say(words, action, () => change(without(state, gone)));
  } else if (filtersOf(state).length) say(sentences(problem), 'Remove the filters', removeFilters);
  else if (state.image) say(sentences(problem), 'Remove the picture', () => change({ image: null }));
  else say(sentences(problem), 'Start anew', () => change(empty()));
}

const sentences = ({ message, details }) => [message, ...(details ?? [])].filter(Boolean)
  .map((words) => `${words[0].toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`).join(' ');

async function take(file) {
  try {
    change({ image: await shrink(file) });
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
  const open = find('filters').classList.toggle('open');
  event.currentTarget.setAttribute('aria-expanded', String(open));
  if (open) scrollTo({ top: 0 }); // they lie above the cards
});
find('details').addEventListener('click', (event) => { if (event.target === event.currentTarget) event.currentTarget.close(); });
find('details').addEventListener('close', () => { if (document.activeElement === document.body) toResults(); });
addEventListener('keydown', (event) => {
  if (event.key === '/' && !event.target.matches('input, textarea')) { event.preventDefault(); input.select(); }
});
addEventListener('popstate', arrive);
addEventListener('offline', () => say('You are offline. The search goes on when you are back.'));
addEventListener('online', ask);
find('mark').addEventListener('click', (event) => { event.preventDefault(); change(empty()); });
watch({ input: find('file'), veil: find('drop'), take });

arrive();
about().then(({ name }) => {
  if (name) [find('mark').textContent, document.title] = [name, `${name} · search`];
});
