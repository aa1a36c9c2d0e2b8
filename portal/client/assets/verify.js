// The document is summed here, whatever its size the browser can hold, and is not
// sent: its SHA-256 and name go in its place.
import { make } from './portico.js';

const form = document.querySelector('[data-verify]');
const field = form.querySelector('#document');
const help = form.querySelector('#document-help');
const most = 2 ** 31; // one piece of memory in all browsers

if (crypto.subtle) { // it is not there without TLS, but on loopback
  help.textContent = help.dataset.here;
  form.addEventListener('submit', async (e) => {
    const file = field.files[0];
    if (!file || file.size > most) return;
    e.preventDefault();
    const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    const hex = [...sum].map((b) => b.toString(16).padStart(2, '0')).join('');
    form.append(make('input', { type: 'hidden', name: 'sum', value: hex }), make('input', { type: 'hidden', name: 'name', value: file.name }));
    field.disabled = true;
    form.submit();
  });
}
