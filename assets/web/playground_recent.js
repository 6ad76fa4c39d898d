// What was asked for in this browser before: kept in it alone, and put back into the form by a click. It is
// shown once the form has been filled, which would otherwise undo an early click.
const KEY = 'zeroshelf-recent', MOST = 8, root = element.querySelector('.zp-recent');
const lang = () => (document.documentElement.lang in props.words ? document.documentElement.lang : 'en');
const say = key => props.words[lang()][`playground_js_${key}`] || '';
let seen = null;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function kept() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) || '[]');
    return (Array.isArray(list) ? list : []).filter(one => one && typeof one.link === 'string').slice(0, MOST);
  } catch (error) { return []; }
}

function keep(list) {
  try { localStorage.setItem(KEY, JSON.stringify(list)); } catch (error) { /* a full or closed store: not kept */ }
}

function draw() {
  const list = kept(), open = root.querySelector('details')?.open;
  if (!list.length) return root.replaceChildren();
  const fold = make('details'), rows = make('ul'), forget = make('button', 'zp-clear', say('forget'));
  fold.open = Boolean(open);
  forget.type = 'button';
  forget.addEventListener('click', () => { keep([]); draw(); });
  list.forEach(one => {
    const row = make('li'), button = make('button');
    button.type = 'button';
    button.append(make('bdi', '', String(one.label || '')), make('small', 'zs-domain', String(one.catalog || '')));
    button.addEventListener('click', () => trigger('restore', { link: one.link }));
    row.append(button);
    rows.append(row);
  });
  fold.append(make('summary', '', say('recent')), rows, forget);
  root.replaceChildren(fold);
}

function remember() {
  const value = props.value;
  if (!value || value.serial === seen) return;
  seen = value.serial;
  if (value.link) {
    const one = { link: value.link, label: value.label, catalog: value.catalog };
    keep([one, ...kept().filter(other => other.link !== one.link)].slice(0, MOST));
  }
  draw();
}

watch('value', remember);
remember();
