// Small things that every part of the annotation board uses. The parts are joined in the order in which
// annotation/ui/tab.py lists them, within one scope. Text is only ever set as text, never as HTML.
let words = {};

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function word(name, values) {
  return (words['annotate_' + name] || '').replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function number(value) { return value.toLocaleString(document.documentElement.lang || undefined); }

function attributes(node, values) {
  Object.entries(values).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

// A button that lets go of the focus after a click, so that the next Enter is the board's again.
function button(className, label, action) {
  const node = make('button', className);
  node.type = 'button';
  node.append(make('span', '', label));
  node.addEventListener('click', event => { if (event.detail) node.blur(); action(event); });
  return node;
}

// A modal dialog of its own element; `fill(dialog)` draws its content each time that it opens.
function dialog(className, title, fill) {
  const box = attributes(make('dialog', 'zb-dialog ' + className), { 'aria-label': title });
  const head = make('header'), close = button('zb-close', '✕', () => box.close());
  close.setAttribute('aria-label', word('close'));
  head.append(attributes(make('h2', '', title), { tabindex: '-1', autofocus: '' }), close);
  box.append(head);
  fill(box);
  box.addEventListener('click', event => { if (event.target === box) box.close(); });
  box.addEventListener('close', () => box.remove());
  element.append(box);
  box.showModal();
  return box;
}

function dialogOpen() { return document.querySelector('dialog[open]') !== null; }

function stored(name, otherwise) {
  try { return JSON.parse(localStorage.getItem('zeroshelf-annotate-' + name)) ?? otherwise; }
  catch { return otherwise; }
}

function store(name, value) {
  try { localStorage.setItem('zeroshelf-annotate-' + name, JSON.stringify(value)); }
  catch { /* Private windows may refuse; then it holds until the page is closed. */ }
}
