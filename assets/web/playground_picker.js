// The history: chips of items from any catalogue, and a field that suggests titles while one types (the
// combobox of the ARIA practices). What is typed or pasted and is in no catalogue stays as a title. The
// value goes to the server as it is here. Text is only ever set as text, never as HTML.
const root = element.querySelector('.zp-picker'), MOST = props.most;
const lang = () => (document.documentElement.lang in props.words ? document.documentElement.lang : 'en');
const say = (key, values = {}) =>
  (props.words[lang()][`playground_js_${key}`] || '').replace(/\{(\w+)\}/g, (_, name) => values[name]);
let items = [], drawn = null, options = [], active = -1, asked = 0, timer = 0;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const label = make('label', 'zp-label', say('history')), info = make('p', 'zp-info', say('history_info'));
const list = make('ul', 'zp-history'), field = make('input'), box = make('ul', 'zp-options'), live = make('p', 'zp-said');
const combo = make('div', 'zp-combo'), clear = make('button', 'zp-clear', say('clear'));
Object.assign(field, { type: 'text', id: 'history-field', autocomplete: 'off', spellcheck: false, placeholder: say('placeholder') });
label.htmlFor = field.id;
box.id = 'history-options';
box.hidden = true;
clear.type = 'button';
list.setAttribute('aria-label', say('history'));
box.setAttribute('role', 'listbox');
box.setAttribute('aria-label', say('suggestions'));
live.setAttribute('aria-live', 'polite');
Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': box.id, 'aria-autocomplete': 'list' })
  .forEach(([name, value]) => field.setAttribute(name, value));
combo.append(field, box);
root.replaceChildren(label, info, list, combo, clear, live);

const same = (a, b) => (a.catalog ? a.catalog === b.catalog && a.id === b.id : !b.catalog && a.title === b.title);
const short = text => (text.length > 200 ? text.slice(0, 199) + '…' : text);

function commit() {
  props.value = { ...(props.value || {}), items };
  draw();
}

function add(more) {
  const fresh = more.filter((item, n) => !items.some(have => same(item, have)) && more.findIndex(one => same(item, one)) === n);
  const room = Math.max(MOST - items.length, 0);
  items = [...items, ...fresh.slice(0, room)];
  if (fresh.length > room) live.textContent = say('too_many', { most: MOST });
  else if (fresh.length === 1) live.textContent = say('added', { title: short(fresh[0].title) });
  else if (fresh.length) live.textContent = say('added_many', { count: fresh.length });
  else live.textContent = say('already');
  commit();
}

function remove(index) {
  const [gone] = items.splice(index, 1);
  items = [...items];
  live.textContent = say('removed', { title: short(gone.title) });
  commit();
  const left = list.querySelectorAll('button');
  (left[Math.min(index, left.length - 1)] || field).focus();
}

function chip(item, index) {
  const row = make('li', item.catalog ? 'zp-entry' : 'zp-entry is-typed'), text = make('span'), button = make('button', '', '×');
  text.append(make('bdi', '', short(item.title)), make('small', '', item.catalog ? item.domain : say('typed')));
  button.type = 'button';
  button.setAttribute('aria-label', say('remove', { title: short(item.title) }));
  button.addEventListener('click', () => remove(index));
  row.append(text, button);
  return row;
}

function draw() {
  list.replaceChildren(...items.map(chip));
  list.hidden = !items.length;
  clear.hidden = items.length < 2;
}

function close() {
  box.hidden = true;
  options = [];
  active = -1;
  field.setAttribute('aria-expanded', 'false');
  field.removeAttribute('aria-activedescendant');
}

function point(index) {
  active = index;
  [...box.children].forEach((row, n) => row.setAttribute('aria-selected', String(n === active)));
  if (active < 0) return field.removeAttribute('aria-activedescendant');
  field.setAttribute('aria-activedescendant', box.children[active].id);
  box.children[active].scrollIntoView({ block: 'nearest' });
}

function take(item) {
  asked += 1;
  field.value = '';
  close();
  add([item]);
}

function typed(title) { return { catalog: '', id: '', title, second: '', domain: '' }; }

function offer(found) {
  const text = field.value.trim();
  options = [...found, ...(text ? [typed(text)] : [])];
  box.replaceChildren(...options.map((item, n) => {
    const row = make('li', item.catalog ? '' : 'is-typed');
    row.id = `history-option-${n}`;
    row.setAttribute('role', 'option');
    row.append(make('bdi', '', item.catalog ? item.title : say('as_typed', { title: short(item.title) })));
    if (item.second) row.append(make('small', '', item.second));
    if (item.domain) row.append(make('small', 'zs-domain', item.domain));
    row.addEventListener('mousedown', event => event.preventDefault()); // the field keeps the focus
    row.addEventListener('click', () => take(item));
    return row;
  }));
  box.hidden = !options.length;
  field.setAttribute('aria-expanded', String(!box.hidden));
  point(found.length ? 0 : -1);
  live.textContent = found.length ? say('found', { count: found.length }) : say('found_none');
}

async function look() {
  const text = field.value.trim(), mine = ++asked;
  if (!text) return close();
  let found = [];
  try { found = await server.suggest({ text, language: lang() }); } catch (error) { found = []; }
  if (mine === asked && document.activeElement === field) offer(found || []);
}

async function paste(lines) {
  asked += 1;
  close();
  let found = lines.slice(0, MOST).map(typed);
  try { found = await server.resolve({ lines: lines.slice(0, MOST), language: lang() }); } catch (error) { /* as typed */ }
  add(found);
  if (lines.length > MOST) live.textContent = say('too_many', { most: MOST });
}

field.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(look, 90);
});
field.addEventListener('paste', event => {
  const lines = event.clipboardData.getData('text').split(/\r?\n/).map(line => line.trim()).filter(Boolean);
  if (lines.length < 2) return;
  event.preventDefault();
  paste(lines);
});
field.addEventListener('keydown', event => {
  if (event.isComposing || event.keyCode === 229) return; // a Korean syllable is not finished
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    if (box.hidden) return look();
    event.preventDefault();
    const step = event.key === 'ArrowDown' ? 1 : -1;
    point((active + step + options.length) % options.length);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    if (active >= 0 && options[active]) take(options[active]);
    else if (field.value.trim()) take(typed(field.value.trim()));
  } else if (event.key === 'Escape' && !box.hidden) {
    event.stopPropagation();
    close();
  } else if (event.key === 'Backspace' && !field.value && items.length) {
    remove(items.length - 1);
    field.focus();
  }
});
field.addEventListener('blur', () => setTimeout(close, 150));
clear.addEventListener('click', () => {
  items = [];
  live.textContent = say('cleared');
  commit();
  field.focus();
});
document.addEventListener('zeroshelf:add', event => {
  if (!root.isConnected) return;
  add([event.detail]);
});

function render() {
  const value = props.value;
  if (!value || value.serial === drawn) return;
  drawn = value.serial;
  items = value.items || [];
  draw();
}

watch('value', render);
render();
draw();
