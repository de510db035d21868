// A picture from the disk, the clipboard or another window, made small enough before it is sent.

const SIDE = 768;

// No address holds a picture: the history has its number, which no page before or after this one gives to another.
const kept = new Map();
const FIRST = Date.now();

function keep(image) {
  const number = FIRST + kept.size;
  kept.set(number, { ...image, number });
  return kept.get(number);
}

export const recall = (number) => kept.get(number) ?? null;

export async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const paint = canvas.getContext('2d');
  paint.fillStyle = '#fff';
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const url = canvas.toDataURL('image/jpeg', 0.9);
  return keep({ url, base64: url.slice(url.indexOf(',') + 1) });
}

// Calls `take` with every picture file that is chosen, pasted or dropped.
export function watch({ input, veil, take }) {
  const first = (files) => [...files].find((file) => file.type.startsWith('image/'));
  input.addEventListener('change', () => {
    if (input.files.length) take(input.files[0]);
    input.value = '';
  });
  addEventListener('paste', (event) => {
    const file = first(event.clipboardData?.files ?? []);
    if (file) take(file);
  });
  let inside = 0;
  const over = (change) => { inside = Math.max(0, inside + change); veil.hidden = inside === 0; };
  addEventListener('dragenter', (event) => { if (event.dataTransfer?.types.includes('Files')) over(1); });
  addEventListener('dragleave', (event) => { if (event.dataTransfer?.types.includes('Files')) over(-1); });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    over(-inside);
    const file = first(event.dataTransfer?.files ?? []);
    if (file) take(file);
  });
}
