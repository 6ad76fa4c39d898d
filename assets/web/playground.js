// What the buttons in answers and cards do. They are drawn by the server; each says in `data-act` what it is.
const lang = () => (document.documentElement.lang in props.words ? document.documentElement.lang : 'en');
const say = key => props.words[lang()][`playground_js_${key}`] || '';
const root = element.querySelector('.zp-wire');
let seen = null, timer = 0;

const acts = {
  add(button) {
    const { catalog, id, title, domain } = button.closest('[data-catalog]').dataset;
    document.dispatchEvent(new CustomEvent('zeroshelf:add', { detail: { catalog, id, title, domain, second: '' } }));
    told(say('added_here'));
  },
  more(button) {
    const { catalog, id } = button.closest('[data-catalog]').dataset;
    trigger('more', { catalog, id });
  },
  rate(button) {
    const of = button.closest('[data-recommendation]').dataset.recommendation;
    const value = button.getAttribute('aria-pressed') === 'true' ? 0 : Number(button.dataset.value);
    trigger('rate', { recommendation: of, item: button.dataset.rates, value });
  },
  example(button) { trigger('example', { link: button.dataset.link }); },
  close() { trigger('closed', {}); },
};

function told(message, text) {
  const note = document.createElement('div');
  note.className = 'zp-toast';
  note.setAttribute('role', 'status');
  note.append(message);
  if (text) { // where the clipboard is closed: to be copied by hand
    const field = document.createElement('input');
    Object.assign(field, { readOnly: true, value: text });
    note.append(field);
    setTimeout(() => field.select());
  }
  root.replaceChildren(note);
  clearTimeout(timer);
  timer = setTimeout(() => root.replaceChildren(), text ? 20000 : 2500);
}

async function copy(link) {
  const address = `${location.origin}${location.pathname}?${link}`;
  try {
    await navigator.clipboard.writeText(address);
    told(say('copied'));
  } catch (error) {
    told(say('copy_this'), address);
  }
}

function mark({ recommendation, rated }) {
  const of = `[data-recommendation="${CSS.escape(recommendation)}"]`;
  document.querySelectorAll(`${of} [data-act="rate"]`).forEach(button => {
    button.setAttribute('aria-pressed', String((rated[button.dataset.rates] || 0) === Number(button.dataset.value)));
  });
}

function obey() {
  const value = props.value;
  if (!value || value.serial === seen) return;
  seen = value.serial;
  if (value.rated) mark(value);
  else if (value.link !== undefined) copy(value.link);
}

function pressed(event) {
  if (!root.isConnected) return document.removeEventListener('click', pressed);
  const button = event.target.closest?.('#playground-row [data-act]');
  if (button && acts[button.dataset.act]) acts[button.dataset.act](button);
  const asks = event.target.closest?.('#recommend, [data-act="example"]');
  if (asks && window.innerWidth <= 768) document.querySelector('#playground-tabs')?.scrollIntoView();
}

// What is like an item is drawn above the columns: bring it into view.
const more = new MutationObserver(() => {
  const section = document.querySelector('#more .zp-more:not([data-seen])');
  if (!section) return;
  section.dataset.seen = 'true';
  section.scrollIntoView({ block: 'nearest' });
  section.focus({ preventScroll: true });
});
const place = document.querySelector('#more');
if (place) more.observe(place, { childList: true, subtree: true });

document.addEventListener('click', pressed);
watch('value', obey);
