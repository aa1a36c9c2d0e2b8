// What a link's page does with scripts: after an upload its lists are new.
document.documentElement.classList.add('live');
document.addEventListener('portico:changed', async () => {
  const list = document.querySelector('[data-list]');
  const answer = list && await fetch(location.pathname).catch(() => null);
  if (!answer?.ok) return; // the list of before is better than none
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  list.replaceWith(page.querySelector('[data-list]'));
});
