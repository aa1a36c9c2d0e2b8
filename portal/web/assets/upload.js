// Uploads that go on after a lost connection (tus 1.0), in a tray at the bottom. An
// element with data-uploads (the address) and data-in (the folder) takes what is
// dropped on the page and what its form's field chooses. Without this, the form
// sends the files by itself.
import { t, n, size, make, icon, shut } from './portico.js';

const root = document.querySelector('[data-uploads]:not([data-uploads=""])');
const atOnce = 2;
const piece = 32 << 20; // of one request: a proxy may keep a whole one in memory
const store = 'portico-uploads';

const all = [];
let tray = null;
let choice = null; // what to do where a name is taken, for all
let asking = Promise.resolve();

// What is under way, by file: it is found again after a reload.
const remembered = () => { try { return JSON.parse(localStorage.getItem(store)) ?? {}; } catch { return {}; } };
const key = (u) => [u.folder, u.path, u.file.size, u.file.lastModified].join('\n');
function remember(u, url) {
  const known = remembered();
  if (url) known[key(u)] = url;
  else delete known[key(u)];
  try { localStorage.setItem(store, JSON.stringify(known)); } catch { /* then a reload begins anew */ }
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// send is one request; up hears how many bytes have left.
function send(u, method, url, headers, body, up) {
  return new Promise((done, fail) => {
    const x = new XMLHttpRequest();
    u.request = x;
    x.open(method, url);
    x.setRequestHeader('Tus-Resumable', '1.0.0');
    for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
    if (up) x.upload.onprogress = (e) => up(e.loaded);
    x.onload = () => done(x);
    x.onerror = x.ontimeout = () => fail(new Error('offline'));
    x.onabort = () => fail(new Error('stopped'));
    x.send(body);
  });
}

const sentence = (x) => {
  try { return JSON.parse(x.responseText).detail || x.responseText; } catch { return x.responseText || t('The server does not take it.'); }
};

// refused is an answer that trying again does not mend.
class Refused extends Error {}

const passing = (status) => status === 0 || status === 423 || status === 429 || status >= 500 && status !== 507;

async function begin(u) {
  const old = remembered()[key(u)];
  if (old) {
    const x = await send(u, 'HEAD', old, {});
    if (x.status < 300) return Object.assign(u, { url: old, offset: Number(x.getResponseHeader('Upload-Offset')) });
    if (passing(x.status)) throw new Error('later');
    remember(u, null);
  }
  const words = { path: u.folder, filename: u.file.name, lastModified: String(u.file.lastModified), exists: u.exists ?? choice ?? 'ask' };
  if (u.path !== u.file.name) words.relativePath = u.path;
  const x = await send(u, 'POST', root.dataset.uploads, {
    'Upload-Length': u.file.size, 'Upload-Metadata': Object.entries(words).map(([k, v]) => k + ' ' + base64(v)).join(','),
  });
  if (x.status === 409 && words.exists === 'ask') {
    u.exists = await question(u);
    if (u.exists === 'skip') { u.state = 'skipped'; return u; }
    return begin(u);
  }
  if (passing(x.status)) throw new Error('later');
  if (x.status >= 300) throw new Refused(sentence(x));
  Object.assign(u, { url: x.getResponseHeader('Location'), offset: Number(x.getResponseHeader('Upload-Offset') ?? 0) });
  if (u.file.size) remember(u, u.url);
  return u;
}

async function go(u) {
  u.state = 'going';
  for (let wait = 1000; u.state === 'going';) {
    try {
      if (!u.url) await begin(u);
      else if (u.lost) {
        const x = await send(u, 'HEAD', u.url, {});
        if (x.status === 404 || x.status === 410) { remember(u, null); u.url = null; continue; }
        if (x.status >= 300) throw new Error('later');
        u.offset = Number(x.getResponseHeader('Upload-Offset'));
      }
      u.lost = false;
      if (u.state !== 'going') break;
      while (u.offset < u.file.size) {
        const from = u.offset;
        const x = await send(u, 'PATCH', u.url, { 'Upload-Offset': from, 'Content-Type': 'application/offset+octet-stream' },
          u.file.slice(from, from + piece), (sent) => { u.offset = from + sent; show(); });
        if (passing(x.status) || x.status === 409) throw new Error('later');
        if (x.status >= 300) throw new Refused(sentence(x));
        u.offset = Number(x.getResponseHeader('Upload-Offset'));
        u.receipt = x.getResponseHeader('Portico-Receipt');
        wait = 1000;
      }
      u.state = 'done';
      remember(u, null);
    } catch (e) {
      if (e instanceof Refused) {
        Object.assign(u, { state: 'failed', wrong: e.message });
        remember(u, null);
      } else if (u.state === 'going') {
        u.lost = true;
        show();
        await new Promise((done) => { u.wake = done; setTimeout(done, wait); });
        wait = Math.min(wait * 2, 30000);
      }
    }
  }
  show();
  next();
}

addEventListener('online', () => all.forEach((u) => u.wake?.()));

let told = 0;
function next() {
  const going = all.filter((u) => u.state === 'going').length;
  all.filter((u) => u.state === 'waiting').slice(0, atOnce - going).forEach(go);
  const done = all.filter((u) => u.state === 'done').length;
  if (done > told && !all.some((u) => u.state === 'waiting' || u.state === 'going')) {
    told = done;
    choice = null;
    document.dispatchEvent(new CustomEvent('portico:changed', { detail: { receipts: all.map((u) => u.receipt).filter(Boolean) } }));
  }
}

// question asks what to do where a name is taken, one file after the other.
function question(u) {
  asking = asking.then(() => choice ?? new Promise((done) => {
    const every = make('input', { type: 'checkbox', id: 'for-all' });
    const dialog = make('dialog', { 'aria-labelledby': 'exists-title' },
      make('h2', { id: 'exists-title' }, t('{name} is there already', { name: u.path })),
      make('p', { class: 'choice' }, every, make('label', { for: 'for-all' }, t('The same for all others'))));
    const answer = (what) => { if (every.checked) choice = what; dialog.close(); dialog.remove(); done(what); }; // close gives the focus back
    dialog.append(make('div', { class: 'row-of-buttons' },
      make('button', { type: 'button', onclick: () => answer('skip') }, t('Skip')),
      make('button', { type: 'button', onclick: () => answer('replace') }, t('Replace')),
      make('button', { type: 'button', class: 'main', autofocus: true, onclick: () => answer('keep') }, t('Keep both'))));
    dialog.addEventListener('cancel', (e) => { e.preventDefault(); answer('skip'); });
    document.body.append(dialog);
    dialog.showModal();
  }));
  return asking;
}

const control = (name, label, act) => make('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick: act }, icon(name));

function pause(u) { u.state = 'paused'; u.lost = true; u.request?.abort(); u.wake?.(); show(); next(); }
function resume(u) { u.state = 'waiting'; show(); next(); }
function cancel(u) {
  const busy = u.state !== 'done';
  u.state = 'gone';
  u.request?.abort();
  u.wake?.();
  if (busy && u.url) send({}, 'DELETE', u.url, {}).catch(() => {});
  remember(u, null);
  u.row.remove();
  all.splice(all.indexOf(u), 1);
  show();
  next();
}

function line(u) {
  u.row = make('li', {}, make('span', { title: u.path }, make('bdi', {}, u.path)), u.bar = make('progress', { max: 1, value: 0, 'aria-label': u.path }), u.note = make('small'), u.buttons = make('div'));
  return u.row;
}

// Speed is that of the last few seconds.
const past = [];
function speed(sent) {
  const now = performance.now();
  past.push([now, sent]);
  while (past.length > 2 && now - past[0][0] > 5000) past.shift();
  const [then, before] = past[0];
  return now > then ? Math.max(0, (sent - before) / (now - then) * 1000) : 0;
}

const clock = (s) => s < 60 ? n('{n} seconds', Math.max(1, Math.round(s))) : s < 5400 ? n('{n} minutes', Math.round(s / 60)) : n('{n} hours', Math.round(s / 3600));

let drawn = 0;
function show() {
  if (!tray || drawn) return;
  drawn = requestAnimationFrame(draw);
}

function draw() {
  drawn = 0;
  const live = all.filter((u) => u.state !== 'skipped' && u.state !== 'failed');
  const whole = live.reduce((sum, u) => sum + u.file.size, 0);
  const sent = live.reduce((sum, u) => sum + u.offset, 0);
  const open = all.filter((u) => ['waiting', 'going', 'paused'].includes(u.state)).length;
  if (!all.length) { tray.remove(); tray = null; return; }
  const rate = speed(sent);
  const failed = all.filter((u) => u.state === 'failed').length;
  tray.querySelector('b').textContent = open ? n('{n} files to upload', open) : failed ? n('{n} failed', failed) : t('All is uploaded');
  tray.querySelector('header + progress').value = whole ? sent / whole : 1;
  tray.querySelector('header + progress').hidden = !whole;
  tray.querySelector(':scope > p').textContent = [
    whole ? t('{done} of {all}', { done: size(sent), all: size(whole) }) : '',
    open && rate ? t('{size} a second', { size: size(rate) }) : '',
    open && rate ? t('{time} left', { time: clock((whole - sent) / rate) }) : '',
    open && failed ? n('{n} failed', failed) : '',
  ].filter(Boolean).join(' · ');
  for (const u of all) {
    u.bar.value = u.file.size ? u.offset / u.file.size : u.state === 'done' ? 1 : 0;
    u.bar.hidden = !['going', 'paused'].includes(u.state);
    u.note.className = u.state === 'failed' ? 'wrong' : '';
    u.note.textContent = { waiting: t('Waiting'), going: u.lost ? t('The connection is lost. It goes on by itself.') : '', paused: t('Paused'), done: t('Done'), skipped: t('Skipped'), failed: u.wrong }[u.state] ?? '';
    const want = u.state;
    if (u.drawn === want) continue;
    u.drawn = want;
    u.buttons.replaceChildren(...[
      want === 'going' && control('pause', t('Pause {name}', { name: u.path }), () => pause(u)),
      want === 'paused' && control('play', t('Go on with {name}', { name: u.path }), () => resume(u)),
      want === 'failed' && control('retry', t('Try {name} again', { name: u.path }), () => { u.url = null; resume(u); }),
      control('close', want === 'done' || want === 'skipped' || want === 'failed' ? t('Take {name} off the list', { name: u.path }) : t('Cancel {name}', { name: u.path }), () => cancel(u)),
    ].filter(Boolean));
  }
}

function open() {
  if (tray) return;
  tray = make('section', { class: 'tray', 'aria-label': t('Uploads') },
    make('header', {}, make('b', { 'aria-live': 'polite' }), control('down', t('Fold the list'), () => { const ul = tray.querySelector('ul'); ul.hidden = !ul.hidden; }),
      control('close', t('Close the list'), () => [...all].forEach((u) => { if (['done', 'skipped', 'failed'].includes(u.state)) cancel(u); }))),
    make('progress', { max: 1, value: 0, 'aria-label': t('Uploads') }), make('p'), make('ul'));
  document.body.append(tray);
}

// add takes files with their paths below the folder.
export function add(files) {
  if (!files.length) return;
  open();
  for (const { file, path } of files) {
    if (/(^|\/)(\._[^/]*|\.DS_Store)$/.test(path)) continue; // macOS's own, beside what is uploaded
    const u = { file, path, folder: root.dataset.in, offset: 0, state: 'waiting' };
    all.push(u);
    tray.querySelector('ul').append(line(u));
  }
  show();
  next();
}

// walk reads a dropped folder, all of it.
async function walk(entry, at = '') {
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail)).catch(() => null);
    return file ? [{ file, path: at + file.name }] : [];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done) => reader.readEntries(done, () => done([])));
    if (!some.length) return found;
    for (const e of some) found.push(...await walk(e, at + entry.name + '/'));
  }
}

if (root) {
  document.body.dataset.drop = t('Drop to upload here');
  let depth = 0;
  const files = (e) => e.dataTransfer?.types.includes('Files');
  addEventListener('dragenter', (e) => { if (files(e)) { depth++; document.body.classList.add('dropping'); } });
  addEventListener('dragleave', (e) => { if (files(e) && --depth <= 0) document.body.classList.remove('dropping'); });
  addEventListener('dragover', (e) => { if (files(e)) e.preventDefault(); });
  addEventListener('drop', async (e) => {
    if (!files(e)) return;
    e.preventDefault();
    depth = 0;
    document.body.classList.remove('dropping');
    const entries = [...e.dataTransfer.items].map((i) => i.webkitGetAsEntry?.()).filter(Boolean);
    add((await Promise.all(entries.map((x) => walk(x)))).flat());
  });

  for (const form of document.querySelectorAll('[data-upload-form]')) {
    const field = form.querySelector('[type=file]');
    const take = (input) => {
      add([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      input.value = '';
      shut(form.closest('details'));
    };
    const whole = make('input', { type: 'file', webkitdirectory: true, hidden: true, onchange: (e) => take(e.target) });
    field.required = false;
    field.hidden = true;
    field.addEventListener('change', () => take(field));
    form.replaceChildren(field, whole,
      make('button', { type: 'button', onclick: () => field.click() }, icon('file'), t('Files')),
      make('button', { type: 'button', onclick: () => whole.click() }, icon('folder'), t('A whole folder')));
    form.classList.remove('pop');
  }

  const left = Object.keys(remembered()).map((k) => k.split('\n')).filter(([folder]) => folder === root.dataset.in);
  if (left.length) {
    const note = make('p', { class: 'warned block banner', role: 'status' }, make('span', {}, n('{n} uploads were cut off. Choose the same files again: they go on where they were.', left.length)),
      make('button', { type: 'button', class: 'plain', onclick: () => { localStorage.removeItem(store); note.remove(); } }, t('Forget them')));
    root.prepend(note);
    document.addEventListener('portico:changed', () => note.remove(), { once: true });
  }
  addEventListener('beforeunload', (e) => { if (all.some((u) => u.state === 'going' || u.state === 'waiting')) e.preventDefault(); });
}
