// What a customer's pages do with scripts. Where there are no resumable uploads, what
// is dropped or chosen goes with the form at once; after an upload the list is new.
import { say, t, make } from './portico.js';

document.documentElement.classList.add('live');

const area = document.querySelector('.drop');
const form = area?.querySelector('form');
if (form && !area.dataset.uploads) {
  const field = form.querySelector('[type=file]');
  const button = form.querySelector('button');
  const send = () => { if (field.files.length) form.requestSubmit(button); };
  field.addEventListener('change', send);
  area.addEventListener('dragover', (e) => {
    e.preventDefault();
    area.classList.add('over');
  });
  area.addEventListener('dragleave', () => area.classList.remove('over'));
  area.addEventListener('drop', (e) => {
    e.preventDefault();
    area.classList.remove('over');
    field.files = e.dataTransfer.files;
    send();
  });
}

document.addEventListener('portico:changed', async () => {
  say(t('Sent. Each document has a receipt.'), make('a', { href: '/portal/deposits' }, t('See the receipts')));
  const list = document.querySelector('[data-list]');
  if (!list) return;
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer?.ok) return; // the list of before is better than none
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  list.replaceWith(page.querySelector('[data-list]'));
});
