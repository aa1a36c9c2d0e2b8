// A list of files: choosing rows, keys, a menu on each row, the details beside it,
// and rows that come as one scrolls. Without this, boxes, links and forms do it.
import { t, n, make, icon, shut } from './portico.js';

const page = document.querySelector('.files-page');
const list = page.querySelector('.list-form');
const panel = page.querySelector('.details');
const menu = document.getElementById('row-menu');
const chosen = new Set();
let rows = null; // all of a long list, once they are here
let last = null; // the row chosen last, for Shift

// pass sends a form that is not on the page.
function pass(action, fields) {
  const form = make('form', { method: 'post', action, hidden: true });
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) form.append(make('input', { type: 'hidden', name, value }));
  document.body.append(form);
  form.submit();
}

// Choosing.
const boxes = () => [...(list?.querySelectorAll('[name=item]') ?? [])];
const names = () => rows?.map((r) => r.Name) ?? boxes().map((b) => b.value);

function tell() {
  for (const b of boxes()) {
    b.checked = chosen.has(b.value);
    b.closest('.item').setAttribute('aria-selected', String(b.checked));
  }
  list.classList.toggle('choosing', chosen.size > 0);
  const bar = list.querySelector('.selection');
  if (!bar) return;
  bar.classList.toggle('on', chosen.size > 0);
  bar.querySelector('[data-count]').textContent = n('{n} chosen', chosen.size);
  bar.querySelector('[data-clear]').hidden = false;
  const all = list.querySelector('[data-all]');
  all.checked = chosen.size > 0 && chosen.size === names().length;
  all.indeterminate = chosen.size > 0 && !all.checked;
}

function pick(name, on, through) {
  const order = names();
  const [a, b] = through && last ? [order.indexOf(last), order.indexOf(name)].sort((x, y) => x - y) : [order.indexOf(name), order.indexOf(name)];
  for (const one of order.slice(a, b + 1)) chosen[on ? 'add' : 'delete'](one);
  last = name;
  tell();
}

const clear = () => { chosen.clear(); tell(); };

function ready() {
  const all = list.querySelector('[data-all]');
  if (all) {
    all.hidden = false;
    all.onchange = () => { for (const name of names()) chosen[all.checked ? 'add' : 'delete'](name); tell(); };
  }
  list.querySelector('[data-clear]')?.addEventListener('click', clear);
  for (const b of boxes()) if (b.checked) chosen.add(b.value);
  if (list.querySelector('.item')) tell();
}

list?.addEventListener('change', (e) => { if (e.target.name === 'item') pick(e.target.value, e.target.checked); });
list?.addEventListener('click', (e) => {
  const row = e.target.closest('.body .item');
  if (!row || e.target.closest('a, button, summary, details, input') || !row.querySelector('[name=item]')) return;
  pick(row.dataset.name, !chosen.has(row.dataset.name), e.shiftKey);
  row.querySelector('a')?.focus({ preventScroll: true });
});
list?.addEventListener('dblclick', (e) => {
  if (!e.target.closest('a, button, input, details')) e.target.closest('.body .item')?.querySelector('.name a')?.click();
});
// What was chosen and is scrolled away goes along.
list?.addEventListener('submit', () => {
  const here = new Set(boxes().map((b) => b.value));
  for (const name of chosen) if (!here.has(name)) list.append(make('input', { type: 'hidden', name: 'item', value: name }));
});

// The menu of the row under the pointer, or with the focus.
let actions = null;

function offer(row) {
  if (!menu || !row?.querySelector('[name=item]') || row === actions?.parentElement || actions?.querySelector('[open]')) return;
  actions?.remove();
  actions = make('span', { class: 'row-actions', role: 'gridcell' });
  actions.append(menu.content.cloneNode(true));
  const link = row.querySelector('.name a');
  actions.querySelector('[data-act=open]').href = link.href;
  const down = actions.querySelector('[data-act=download]');
  if (down) down.href = link.pathname.endsWith('/') ? link.pathname.replace(/^\/files/, '/zip') : link.pathname.replace(/^\/files/, '/raw') + '?download';
  const facts = actions.querySelector('[data-act=details]');
  facts.href = '?details=' + encodeURIComponent(row.dataset.name);
  facts.dataset.details = row.dataset.name;
  row.append(actions);
}

list?.addEventListener('pointerover', (e) => offer(e.target.closest('.body .item')));
list?.addEventListener('focusin', (e) => offer(e.target.closest('.body .item')));
list?.addEventListener('click', (e) => {
  const act = e.target.closest('.row-actions [data-act]')?.dataset.act;
  const name = e.target.closest('.item')?.dataset.name;
  const one = { in: page.dataset.in, item: name };
  switch (act) {
    case 'rename': return rename(name, e.target.closest('details.menu'));
    case 'copy': case 'move': return pass('/do/place', { ...one, do: act });
    case 'delete': return pass('/do/sure', one);
    case 'share': return pass('/share', one);
    case 'link': return pass('/links/new', one);
    case 'label': return pass('/label', one);
  }
});

function rename(name, from) {
  const dialog = document.getElementById('rename');
  shut(from);
  const field = dialog.querySelector('[name=name]');
  dialog.querySelector('[name=item]').value = name;
  field.value = name;
  dialog.showModal();
  const dot = name.lastIndexOf('.');
  field.setSelectionRange(0, dot > 0 ? dot : name.length);
}

// Details.
async function details(name, from) {
  const at = page.dataset.href.replace(/^\/files/, '/details') + (name === '.' ? '' : encodeURIComponent(name));
  const answer = await fetch(at).catch(() => null);
  if (!answer?.ok) { location.href = '?details=' + encodeURIComponent(name); return; }
  panel.innerHTML = await answer.text(); // a part of ours, made by the same templates
  panel.hidden = false;
  page.classList.add('with-details');
  const close = panel.querySelector('[data-close-details]');
  close.focus({ preventScroll: innerWidth > 960 });
  close.onclick = (e) => {
    e.preventDefault();
    panel.hidden = true;
    page.classList.remove('with-details');
    (from?.isConnected ? from : page.querySelector('.body .item .name a'))?.focus();
  };
}

page.addEventListener('click', (e) => {
  const link = e.target.closest('[data-details]');
  if (!link || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  const row = link.closest('.item');
  link.closest('details.menu')?.removeAttribute('open');
  details(link.dataset.details, row?.querySelector('.name a') ?? link);
});

// Keys. Esc takes one step back: out of the search, what is chosen, the details.
let before = null; // where the focus was before the search

function back(at) {
  const close = panel.hidden ? null : panel.querySelector('[data-close-details]');
  if (at.matches('.search input')) {
    if (at.value) return false; // the browser empties it
    if (before?.isConnected) before.focus();
    else at.blur();
  } else if (close && list && panel.contains(at)) close.click();
  else if (chosen.size) clear();
  else if (close && list) close.click();
  else return false;
  return true;
}

// stride is how many rows a key goes on; in a grid up and down go by lines.
function stride(key, items) {
  const grid = list?.querySelector('.grid');
  const line = grid ? items.filter((i) => i.closest('.item').offsetTop === items[0].closest('.item').offsetTop).length : 1;
  const all = rows ? undefined : items.length; // of a long list not all are here
  return { ArrowDown: line, ArrowUp: -line, ArrowRight: grid ? 1 : undefined, ArrowLeft: grid ? -1 : undefined, Home: all && -all, End: all }[key];
}

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
  if (e.key === 'Escape') {
    if (back(e.target)) e.preventDefault();
    return;
  }
  if (e.target.matches('input:not([type=checkbox]), textarea, select')) return;
  const items = [...page.querySelectorAll('.body .item .name a')];
  const at = items.indexOf(e.target.closest('.item')?.querySelector('.name a'));
  const step = items.length ? stride(e.key, items) : undefined;
  if (e.key === '/') {
    before = e.target;
    page.querySelector('.search input')?.focus();
  } else if (e.key === '?') document.getElementById('help')?.showModal();
  else if (step && !(at < 0 && /^(Home|End)$/.test(e.key))) {
    const to = items[at < 0 ? 0 : Math.max(0, Math.min(at + step, items.length - 1))];
    to.focus();
    to.closest('.item').scrollIntoView({ block: 'nearest' });
    if (e.shiftKey && to.closest('.item').querySelector('[name=item]')) pick(to.closest('.item').dataset.name, true);
  } else if (e.key === ' ' && at >= 0 && e.target.matches('a')) pick(items[at].closest('.item').dataset.name, !chosen.has(items[at].closest('.item').dataset.name));
  else return;
  e.preventDefault();
});

// A long list: the rows in sight, between two spaces that stand for the others.
const cell = (name, ...what) => make('span', { role: 'gridcell', class: name }, ...what);

function draw(row, i) {
  const label = row.Title || row.Name;
  const cut = label.length > 24 ? label.length - 12 : label.length;
  const pickable = cell('pick', make('input', { type: 'checkbox', name: 'item', value: row.Name, 'aria-label': row.Name }));
  const name = cell('name k-' + row.Kind, icon(row.Kind),
    make('a', { href: row.Href, title: label }, make('bdi', {}, make('span', {}, label.slice(0, cut)), make('span', {}, label.slice(cut)))),
    ...(row.Labels ?? []).map((l) => make('span', { class: 'label l-' + l.Color }, make('bdi', {}, l.Name))));
  const faces = (row.Shared ?? []).map((f) => make('span', { class: 'who c' + f.Color + (f.Waiting ? ' waiting' : ''), title: [f.Name, f.Mail].filter(Boolean).join(' ') }, f.Initials));
  const cells = [pickable, name];
  if ('shares' in page.dataset) cells.push(cell('shared', ...(faces.length ? [make('a', { href: '/share/stop?path=' + encodeURIComponent(page.dataset.in + '/' + row.Name) }, make('span', { class: 'faces' }, ...faces))] : [])));
  cells.push(cell('by', make('bdi', {}, row.By ?? '')), make('span', { role: 'gridcell', class: 'when', title: row.Stamp }, row.When), cell('size', row.Size));
  return make('div', { role: 'row', class: 'item', 'data-name': row.Name, 'aria-rowindex': i + 1 }, ...cells);
}

async function lengthen() {
  const body = list?.querySelector('.body');
  if (!body || !page.dataset.rows || list.querySelector('.grid') || Number(page.dataset.total) <= body.children.length || body.dataset.first !== '1') return;
  const answer = await fetch(page.dataset.rows).catch(() => null);
  if (!answer?.ok) return; // the links to the other parts are still there
  rows = (await answer.json()).rows;
  list.querySelector('.page-links')?.remove();
  const above = make('div', { class: 'space', 'aria-hidden': 'true' });
  const below = above.cloneNode();
  let from = -1;
  const fit = () => {
    const height = body.querySelector('.item')?.offsetHeight || 44;
    const top = -body.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(Math.floor(top / height) - 20, rows.length - 1));
    const count = Math.ceil(innerHeight / height) + 40;
    if (Math.abs(first - from) < 10 && from >= 0) return;
    from = first;
    const focused = document.activeElement?.closest?.('.item')?.dataset.name;
    above.style.height = first * height + 'px';
    below.style.height = Math.max(0, rows.length - first - count) * height + 'px';
    body.replaceChildren(above, ...rows.slice(first, first + count).map((r, i) => draw(r, first + i)), below);
    if (focused) body.querySelector(`[data-name="${CSS.escape(focused)}"] .name a`)?.focus({ preventScroll: true });
    tell();
  };
  fit();
  addEventListener('scroll', fit, { passive: true });
  addEventListener('resize', () => { from = -1; fit(); });
}

// What changed: the list is fetched anew, and takes the old one's place.
document.addEventListener('portico:changed', async () => {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const now = fresh.querySelector('.list-form');
  if (!now) return;
  const focused = list.contains(document.activeElement) && document.activeElement.closest('.item')?.dataset.name;
  list.replaceChildren(...now.childNodes);
  if (focused) list.querySelector(`[data-name="${CSS.escape(focused)}"] .name a`)?.focus({ preventScroll: true });
  page.dataset.total = fresh.querySelector('.files-page').dataset.total;
  rows = null;
  ready();
  lengthen();
});

if (list) {
  ready();
  lengthen();
}
if (list && panel && !panel.hidden && panel.querySelector('[data-close-details]') && innerWidth <= 960) panel.scrollIntoView();
