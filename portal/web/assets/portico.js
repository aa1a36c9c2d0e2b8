// What the pages can do without: times in the reader's zone, a button that copies,
// a password that can be shown, menus and dialogs. Nothing here is needed.

const known = JSON.parse(document.body.dataset.texts || '{}');
const lang = document.documentElement.lang;
const rules = new Intl.PluralRules(lang);

// fill puts values in the place of {names}.
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values && name in values ? values[name] : whole);

// t is a text in the reader's language, n one that counts.
export const t = (id, values) => fill(known[id] ?? id, values);
export const n = (id, count, values) =>
  fill(known[id]?.[rules.select(count) === 'one' ? 0 : 1] ?? id, { n: count.toLocaleString(lang), ...values });

// size writes bytes as the server does.
export function size(bytes) {
  const units = lang === 'fr' ? ['o', 'ko', 'Mo', 'Go', 'To'] : ['B', 'kB', 'MB', 'GB', 'TB'];
  let step = 0;
  for (; bytes >= 999.5 && step < units.length - 1; step++) bytes /= 1000;
  return bytes.toLocaleString(lang, { maximumFractionDigits: step && bytes < 9.95 ? 1 : 0 }) + '\u00a0' + units[step];
}

// make builds an element; text is never read as HTML.
export function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children);
  return e;
}

export function icon(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(ns, 'use');
  use.setAttribute('href', '#i-' + name);
  svg.append(use);
  return svg;
}

// say shows a line at the bottom for a while; it stays while it is pointed at.
export function say(message, ...actions) {
  const toast = make('div', { class: 'toast' }, make('span', {}, message), ...actions);
  document.querySelector('.toasts').append(toast);
  fade(toast);
}

function fade(toast) {
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), 8000); };
  for (const e of ['pointerenter', 'focusin']) toast.addEventListener(e, () => clearTimeout(timer));
  for (const e of ['pointerleave', 'focusout']) toast.addEventListener(e, start);
  start();
}
document.querySelectorAll('[data-toast]').forEach(fade);

// The server tells times in the zone that this cookie names, from the next page on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes('zone=' + encodeURIComponent(zone))) {
  document.cookie = 'zone=' + encodeURIComponent(zone) + '; path=/; max-age=31536000; samesite=lax' + (location.protocol === 'https:' ? '; secure' : '');
}

for (const text of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break; // there is none without TLS, but on loopback
  const button = make('button', { type: 'button', 'aria-live': 'polite', onclick: async () => {
    try {
      await navigator.clipboard.writeText(text.value ?? text.textContent);
      button.textContent = t('Copied');
    } catch {
      getSelection().selectAllChildren(text); // then the keys for copying do
    }
  } }, t('Copy'));
  text.after(button);
}

for (const field of document.querySelectorAll('input[type=password]')) {
  const button = make('button', { type: 'button', class: 'plain show', 'aria-pressed': 'false', 'aria-label': t('Show the password'), onclick: () => {
    const shown = field.type === 'text';
    field.type = shown ? 'password' : 'text';
    button.textContent = shown ? t('Show') : t('Hide');
    button.setAttribute('aria-pressed', String(!shown));
    field.focus();
  } }, t('Show'));
  field.before(button);
}

// A form goes once: a second click on its button does nothing.
document.addEventListener('submit', (e) => {
  for (const b of e.target.querySelectorAll('button:not([type=button])')) {
    if (b === e.submitter && e.target.method === 'post' && !/^\/zip/.test(new URL(e.submitter?.formAction || e.target.action).pathname)) setTimeout(() => { b.disabled = true; });
  }
});
addEventListener('pageshow', () => document.querySelectorAll('button[disabled]:not([data-off])').forEach((b) => { b.disabled = false; }));

// <details class="menu"> closes with Esc, with a click elsewhere and when the focus
// leaves it. Esc gives the focus back; the arrows go through what it offers, but not
// where one types or chooses from a list.
document.addEventListener('click', (e) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(e.target)) menu.open = false;
});
document.addEventListener('focusout', (e) => {
  const menu = e.target.closest?.('details.menu[open]');
  if (e.relatedTarget && menu && !menu.contains(e.relatedTarget)) menu.open = false;
});
// One that would end below the window opens upwards, or is scrolled to. A form in it
// has the focus in its first field.
document.addEventListener('toggle', (e) => {
  const menu = e.target;
  if (!menu.matches?.('details.menu[open]')) return;
  menu.classList.remove('upward');
  const box = menu.lastElementChild.getBoundingClientRect();
  const up = box.bottom > innerHeight && menu.getBoundingClientRect().top > box.height;
  menu.classList.toggle('upward', up);
  if (!up) menu.lastElementChild.scrollIntoView({ block: 'nearest' });
  menu.querySelector('.pop :is(input:not([type=hidden]), select)')?.focus();
}, true);
document.addEventListener('keydown', (e) => {
  const menu = e.target.closest?.('details.menu');
  const opener = menu?.querySelector('summary');
  if (!menu || !menu.open && !(e.key === 'ArrowDown' && e.target === opener)) return;
  menu.open = true;
  const items = [...menu.querySelectorAll('a, button')].filter((i) => i.offsetParent);
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: (at + 1) % items.length, ArrowUp: at > 0 ? at - 1 : items.length - 1, Home: 0, End: items.length - 1 }[e.key];
  if (e.key === 'Escape') shut(menu);
  else if (to === undefined || e.target.matches('input, select, textarea')) return;
  else items[to]?.focus();
  e.preventDefault();
  e.stopImmediatePropagation(); // the arrows are not the list's as well
});

// shut closes a menu; the focus is back where it was opened.
export function shut(menu) {
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
}

// data-opens="ID" opens a dialog; it closes by its own form, Esc or a click beside it.
document.addEventListener('click', (e) => {
  const id = e.target.closest('[data-opens]')?.dataset.opens;
  if (id) {
    e.preventDefault();
    shut(e.target.closest('details.menu')); // to it the dialog gives the focus back
    document.getElementById(id).showModal();
  } else if (e.target.closest('[data-closes]') || e.target.matches('dialog')) {
    const dialog = e.target.closest('dialog');
    if (dialog?.open) {
      e.preventDefault();
      dialog.close();
    }
  }
});
