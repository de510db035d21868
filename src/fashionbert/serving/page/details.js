// One product in a dialog: its pictures, all its attributes, and what one can do with it.

import { product } from './api.js';
import { LONGEST_FACT, matchOf } from './cards.js';
import { make } from './dom.js';

export async function open(dialog, hit, { like, unlike }) {
  const image = make('img', { src: hit.thumbnail, alt: hit.text });
  const views = make('div', { class: 'views' });
  const match = matchOf(hit);
  const facts = { ...(match && { [match.name]: match.words }), Category: [hit.category, hit.subcategory].filter(Boolean).join(' / '), ...hit.attributes, Product: hit.product_id };
  const isNew = (value) => value && (value.length <= LONGEST_FACT || !hit.text.includes(value)); // the title says the rest
  const list = Object.entries(facts).filter(([, value]) => isNew(value)).flatMap(([name, value]) => [make('dt', {}, name.replaceAll('_', ' ')), make('dd', {}, value)]);
  const act = (run) => () => { dialog.close(); run(hit); };
  dialog.replaceChildren(
    make('button', { class: 'close', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, '×'),
    make('div', { class: 'sheet' }, make('div', {}, make('div', { class: 'picture' }, image), views),
      make('div', {}, make('h2', { id: 'details-title' }, hit.text), make('dl', {}, ...list), make('div', { class: 'buttons' },
        make('button', { class: 'plain', type: 'button', onclick: act(like) }, 'More like this'),
        make('button', { class: 'plain', type: 'button', onclick: act(unlike) }, 'Not this')))));
  dialog.showModal();
  const whole = await product(hit.product_id).catch(() => null);
  if (!whole || whole.views.length < 2) return;
  views.replaceChildren(...whole.views.map((view, place) => make('button', {
    type: 'button', 'aria-label': `Picture ${place + 1} of ${whole.views.length}`, 'aria-pressed': String(view.view === hit.view),
    onclick: (event) => {
      image.src = view.thumbnail;
      for (const each of views.children) each.setAttribute('aria-pressed', String(each === event.currentTarget));
    },
  }, make('img', { src: view.thumbnail, alt: '' }))));
}
