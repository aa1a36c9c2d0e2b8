// The form of a link: what its mode has no use for is not shown.
const form = document.querySelector('.link-form');
const fit = () => {
  const mode = new FormData(form).get('mode');
  for (const part of form.querySelectorAll('[data-for]')) part.hidden = !part.dataset.for.split(' ').includes(mode);
};
form?.addEventListener('change', fit);
if (form) fit();
