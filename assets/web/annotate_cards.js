// The prompt as a person reads it, and the cards of its candidates.
const OPTION = /^\d{1,2}\.\s+/;

function promptBox(task) {
  const box = attributes(make('section', 'zb-prompt'), { tabindex: '-1', 'aria-label': word('prompt') });
  const tags = make('div', 'zb-tags');
  task.tags.forEach(tag => tags.append(make('span', '', tag)));
  const person = make('div', 'zb-person'), asked = make('div', 'zb-asked');
  person.lang = asked.lang = task.language;
  if (task.history.length) person.append(titled(task.source, task.heading), list(task.history));
  askParts(task).forEach(part => asked.append(part));
  if (task.system) {
    const system = make('details', 'zb-system'), text = make('p', '', task.system);
    text.lang = task.language;
    system.append(make('summary', '', word('system')), text);
    tags.append(system);
  }
  box.append(tags);
  if (task.history.length) box.append(person);
  box.append(asked);
  box.classList.toggle('has-options', task.listwise);
  return box;
}

function titled(domain, text) {
  const line = make('p', 'zb-heading');
  if (domain) line.append(make('span', 'zb-domain', domain), ' ');
  line.append(text);
  return line;
}

// "- Title (what it is about)": the title stands out, the rest explains it.
function list(lines) {
  const items = make('ul', 'zb-items');
  lines.forEach(line => {
    const item = make('li'), plain = line.replace(/^- /, '').replace(OPTION, '');
    const [, title, about] = /^(.{1,200}?)\s+\((.+)\)$/s.exec(plain) || [null, plain, ''];
    item.append(make('b', '', title));
    if (about) item.append(' ', make('span', '', about));
    items.append(item);
  });
  return items;
}

// The ask: the query as it was typed, the options of a listwise prompt as a list, the rest as sentences.
function askParts(task) {
  const parts = [];
  let rest = task.ask, options = [];
  if (task.query && rest.includes(task.query)) {
    const before = rest.slice(0, rest.indexOf(task.query)).trim();
    if (before) parts.push(titled('', before));
    parts.push(make('blockquote', 'zb-query', task.query));
    rest = rest.slice(rest.indexOf(task.query) + task.query.length);
  }
  const flush = () => {
    if (!options.length) return;
    const numbered = list(options);
    numbered.classList.add('is-numbered');
    parts.push(numbered);
    options = [];
  };
  const lines = rest.split('\n').filter(line => line.trim());
  lines.forEach((line, at) => {
    if (task.listwise && OPTION.test(line)) return options.push(line);
    flush();
    if (task.listwise && OPTION.test(lines[at + 1] || '')) parts.push(titled(task.target, line));
    else parts.push(make('p', 'zb-ask', line));
  });
  flush();
  return parts;
}

function candidateCard(task, candidate, index, choose) {
  const card = attributes(make('article', 'zb-candidate'), { 'data-id': candidate.id });
  const place = index + 1, name = word('candidate', { number: place });
  const head = make('header'), title = make('h3', 'zb-number', String(place));
  title.setAttribute('aria-label', name);
  head.append(title, make('span', 'zb-verdict'));
  candidate.marks.forEach(mark => head.append(make('span', 'zb-mark', mark)));
  const text = attributes(make('div', 'zb-text'), { lang: task.language, dir: 'auto', id: `zb-text-${place}` });
  attributes(card, { role: 'group', 'aria-label': name });
  const row = make('div', 'zb-choices');
  for (const kind of ['best', 'worst']) {
    const node = button('zb-' + kind, word(kind), () => choose(index, kind));
    attributes(node, { 'aria-label': `${name}: ${word(kind)}`, 'aria-describedby': text.id });
    row.append(keyed(node, kind + place));
  }
  card.append(head, text, row);
  writeText(task, candidate, text);
  return card;
}

function writeText(task, candidate, text) {
  if (!candidate.text.trim()) {
    text.classList.add('is-blank');
    return text.replaceChildren(make('p', '', word('blank')));
  }
  const marks = repeats(candidate.text);
  if (stored('compare', false)) {
    const others = task.candidates.filter(other => other !== candidate).map(other => other.text);
    marks.push(...differences(candidate.text, others));
  }
  text.replaceChildren(markdown(candidate.text, marks));
}

// A text that is too tall for its card folds; only what is really cut off gets a button.
function fold(card) {
  const text = card.querySelector('.zb-text');
  text.classList.add('is-folded');
  if (text.scrollHeight <= text.clientHeight + 24) return text.classList.remove('is-folded');
  const more = button('zb-more', word('show_all'), () => {
    const folded = text.classList.toggle('is-folded');
    more.firstChild.textContent = word(folded ? 'show_all' : 'show_less');
    more.setAttribute('aria-expanded', String(!folded));
  });
  attributes(more, { 'aria-expanded': 'false', 'aria-controls': text.id });
  text.after(more);
}
