// Choosing people: suggestions while one types, chips for those who are chosen.
// Without this, the field takes mail addresses apart by commas.
import { t, make } from './portico.js';

const form = document.querySelector('.share');
const field = form.querySelector('#more');
const list = make('ul', { class: 'suggest', role: 'listbox', id: 'suggest', hidden: true });
field.after(list);
for (const [name, value] of Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'suggest', 'aria-autocomplete': 'list' })) field.setAttribute(name, value);

let at = -1;
let asking = null; // the question that is under way
let wanted = false; // Enter was pressed before its answer was there

const show = (on) => {
  list.hidden = !on;
  field.setAttribute('aria-expanded', String(on));
  if (!on) mark(-1);
};

function mark(i) {
  at = i;
  [...list.children].forEach((item, j) => item.setAttribute('aria-selected', String(i === j)));
  const item = list.children[i];
  if (item) field.setAttribute('aria-activedescendant', item.id);
  else field.removeAttribute('aria-activedescendant');
}

function choose(subject, name) {
  if ([...form.querySelectorAll('[name=to]')].every((i) => i.value !== subject)) {
    field.before(make('span', { class: 'chip' }, make('input', { type: 'hidden', name: 'to', value: subject }), make('bdi', {}, name)));
  }
  field.value = '';
  show(false);
  field.focus();
}

const removable = (chip) => chip.append(make('button', { type: 'button', class: 'plain', 'aria-label': t('Remove {name}', { name: chip.textContent }), onclick: () => { chip.remove(); field.focus(); } }, '×'));
form.querySelectorAll('.chip').forEach(removable);
new MutationObserver((changes) => changes.forEach((c) => c.addedNodes.forEach((n) => n.matches?.('.chip') && removable(n)))).observe(field.parentElement, { childList: true });

field.addEventListener('input', async () => {
  const q = field.value.trim();
  asking?.abort(); // one at a time, however fast somebody types
  asking = null;
  wanted = false;
  show(false); // what it shows is of what was typed before
  if (!q) return;
  const mine = asking = new AbortController();
  const answer = await fetch('/share/people?' + new URLSearchParams({ in: form.dataset.in, q }), { signal: mine.signal }).catch(() => null);
  const { people } = answer?.ok ? await answer.json().catch(() => ({ people: [] })) : { people: [] };
  if (mine !== asking) return;
  asking = null;
  const items = people.map((p) => make('li', { role: 'option', onpointerdown: (e) => { e.preventDefault(); choose(p.Subject, p.Name || p.About); } },
    make('span', { class: 'who c' + p.Color, 'aria-hidden': 'true' }, p.Initials), make('span', {}, make('bdi', {}, p.Name || p.About), make('small', {}, p.About))));
  if (!items.length && /^\S+@\S+\.\S+$/.test(q)) {
    items.push(make('li', { role: 'option', onpointerdown: (e) => { e.preventDefault(); choose('contact:' + q, q); } }, make('span', {}, t('Invite {address}', { address: q }))));
  }
  items.forEach((item, i) => { item.id = 'suggest-' + i; });
  list.replaceChildren(...items);
  show(items.length > 0);
  mark(items.length ? 0 : -1);
  if (wanted && items.length) items[0].dispatchEvent(new PointerEvent('pointerdown', { cancelable: true }));
  else if (wanted) form.requestSubmit(form.querySelector('button.main')); // the server says what is wrong with it
  wanted = false;
});

field.addEventListener('keydown', (e) => {
  if (e.key === 'Backspace' && !field.value) field.parentElement.querySelector('.chip:last-of-type')?.remove();
  if (list.hidden) {
    if (e.key !== 'Enter' || !asking) return;
    e.preventDefault(); // a name that is half typed is not sent
    wanted = true;
    return;
  }
  const n = list.children.length;
  if (e.key === 'ArrowDown') mark((at + 1) % n);
  else if (e.key === 'ArrowUp') mark((at - 1 + n) % n);
  else if (e.key === 'Enter') list.children[at]?.dispatchEvent(new PointerEvent('pointerdown', { cancelable: true }));
  else if (e.key === 'Escape') show(false);
  else return;
  e.preventDefault();
});
// Keys that a tool sends press Enter although its way down was taken.
let taken = false;
field.addEventListener('keydown', (e) => { taken = e.key === 'Enter' && e.defaultPrevented; });
field.addEventListener('keypress', (e) => { if (e.key === 'Enter' && taken) e.preventDefault(); });
field.addEventListener('blur', () => show(false));

// "Deposit only" says it all: what else they may has no meaning then.
const only = form.querySelector('#only');
const may = form.querySelector('#may');
const agree = () => { may.disabled = only.checked; };
only?.addEventListener('change', agree);
if (only) agree();
