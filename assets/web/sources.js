// The sources that a job can read: which are taken, as what, and how much of each. The value goes back to
// the server as it is here. Text is only ever set as text, never as HTML.
let drawn = null;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function change(name, part) {
  const chosen = { ...props.value.chosen };
  if (part === null) delete chosen[name];
  else chosen[name] = { dataset: '', share: null, ...chosen[name], ...part };
  props.value = { ...props.value, chosen };
}

function share(source, row) {
  const field = make('input', 'zd-share');
  const recipe = props.value.recipe[source.dataset];
  Object.assign(field, { type: 'number', min: 0, step: 'any', placeholder: recipe === undefined ? '' : recipe });
  field.setAttribute('aria-label', `${props.value.words.data_col_share}: ${source.name}`);
  field.value = (props.value.chosen[source.name] || {}).share ?? '';
  field.addEventListener('change', () => {
    const typed = field.value === '' ? null : Number(field.value);
    change(source.name, { share: typed > 0 ? typed : null });
    row.querySelector('input[type=checkbox]').checked = true;
  });
  return field;
}

function dataset(source, row) {
  const list = make('select', 'zd-dataset');
  list.setAttribute('aria-label', `${props.value.words.data_col_dataset}: ${source.name}`);
  if (!source.dataset) list.append(new Option('–', ''));
  Object.entries(props.value.datasets).forEach(([name, label]) => list.append(new Option(label, name)));
  list.value = (props.value.chosen[source.name] || {}).dataset || source.dataset;
  list.addEventListener('change', () => {
    change(source.name, { dataset: list.value });
    row.querySelector('.zd-share').placeholder = props.value.recipe[list.value] ?? '';
    row.querySelector('input[type=checkbox]').checked = true;
  });
  return list;
}

function line(source) {
  const row = make('div', 'zd-source'), label = make('label'), box = make('input');
  box.type = 'checkbox';
  box.checked = source.name in props.value.chosen;
  box.addEventListener('change', () => change(source.name, box.checked ? { dataset: row.querySelector('select').value } : null));
  label.append(box, make('b', '', source.name), make('span', source.dataset ? '' : 'zd-problem', source.note));
  row.dataset.source = source.name;
  row.append(label, dataset(source, row), share(source, row));
  return row;
}

function render() {
  const value = props.value, root = element.querySelector('.zd-root');
  if (!root || !value || value.serial === drawn) return;
  drawn = value.serial;
  if (!value.sources.length) return root.replaceChildren(make('div', 'zs-empty', value.words.data_no_sources));
  const head = make('div', 'zd-source zd-head');
  ['source', 'dataset', 'share'].forEach(key => head.append(make('span', '', value.words[`data_col_${key}`])));
  root.replaceChildren(head, ...value.sources.map(line), make('p', 'zh-other', value.words.data_mixture));
}

watch('value', render);
render();
