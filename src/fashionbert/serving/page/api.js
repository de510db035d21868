// Talks to the service: JSON in, JSON out, every fault as an Error with words for people.

export class Problem extends Error {
  constructor(message, { status = 0, details = [], retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { status, details, retryAfter });
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(navigator.onLine ? 'The service cannot be reached.' : 'You are offline. The search goes on when you are back.');
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const { message = `The service answered ${response.status}.`, details = [] } = body?.error ?? {};
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  throw new Problem(message, { status: response.status, details, retryAfter });
}

const post = (path, body, signal) =>
  ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal });

export const search = (body, signal) => post('/v1/search', body, signal);
export const facets = (body, signal) => post('/v1/facets', body, signal);
export const explain = (text, hit) => post('/v1/explain', { text, product_id: hit.product_id, view: hit.view });
export const product = (id) => ask(`/v1/products/${encodeURIComponent(id)}`);
export const about = () => ask('/v1/index');
