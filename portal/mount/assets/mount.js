// The doctor's part of the page is fetched anew while a drive is watched. Without a
// script, a link does the same.
const part = document.querySelector('[data-doctor]');
const every = 3000;

async function look() {
  if (!part.querySelector('[data-live]')) return; // it is over
  if (!document.hidden) {
    const answer = await fetch(part.dataset.doctor).catch(() => null);
    if (answer?.ok && !answer.redirected) {
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const list = part.querySelector('.steps');
      const next = fresh.querySelector('.steps');
      if (!next) { location.reload(); return; }
      if (list.innerHTML !== next.innerHTML) list.replaceChildren(...next.childNodes); // the focus stays where it is
    }
  }
  setTimeout(look, every);
}

if (part?.querySelector('[data-live]')) setTimeout(look, every);
