// The annotation board: draws the task that the server sends, keeps the two choices in the page, and
// sends them back. Text is only ever set as text, never as HTML.
const OWN = window.zeroshelfBoard = (window.zeroshelfBoard || 0) + 1;
let best = null, worst = null, shownTask = undefined, polling = null, patience = null, busy = false;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function words() { return (props.value && props.value.words) || {}; }

function sentence(key, values) {
  return (words()[key] || '').replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function button(className, label, key, action) {
  const node = make('button', className, label);
  node.type = 'button';
  if (key) node.append(' ', make('kbd', '', key));
  node.addEventListener('click', action);
  return node;
}

function send(event, data) {
  if (busy) return;
  busy = true;
  clearTimeout(patience);
  // A request that got lost must not lock the board: the choices are still here, to be sent again.
  patience = setTimeout(() => { busy = false; if (props.value && props.value.waiting) send('load', {}); }, 15000);
  trigger(event, data);
}

function mark(index, kind) {
  const candidate = props.value.candidates[index];
  if (!candidate || busy) return;
  if (kind === 'best') {
    best = best === candidate.id ? null : candidate.id;
    if (best !== null && worst === best) worst = null;
  } else {
    worst = worst === candidate.id ? null : candidate.id;
    if (worst !== null && best === worst) best = null;
  }
  choices();
}

function choices() {
  element.querySelectorAll('.zb-candidate').forEach(card => {
    const id = card.dataset.id;
    card.classList.toggle('is-best', id === best);
    card.classList.toggle('is-worst', id === worst);
    card.querySelector('.zb-best').setAttribute('aria-pressed', String(id === best));
    card.querySelector('.zb-worst').setAttribute('aria-pressed', String(id === worst));
  });
  const submit = element.querySelector('.zb-submit');
  if (submit) submit.disabled = best === null || worst === null;
  const live = element.querySelector('.zb-live');
  if (live) live.textContent = best !== null && worst !== null ? words().annotate_ready : '';
}

function submit() {
  if (best === null || worst === null) return say(words().annotate_both);
  send('submit', { task_id: props.value.task_id, best, worst });
}

function say(message) {
  const live = element.querySelector('.zb-live');
  if (live) live.textContent = message;
}

function progressBar(value) {
  const p = value.progress || { done: 0, total: 0 };
  const row = make('div', 'zb-progress');
  row.append(make('span', '', sentence('annotate_progress', p)));
  const bar = make('div', 'zb-bar');
  bar.setAttribute('role', 'progressbar');
  bar.setAttribute('aria-valuenow', p.done);
  bar.setAttribute('aria-valuemin', 0);
  bar.setAttribute('aria-valuemax', p.total);
  bar.setAttribute('aria-label', sentence('annotate_progress', p));
  const fill = make('i');
  fill.style.width = p.total ? `${100 * p.done / p.total}%` : '0';
  bar.append(fill);
  row.append(bar);
  return row;
}

function promptBox(value) {
  const box = make('section', 'zb-prompt');
  const tags = make('div', 'zb-tags');
  value.tags.forEach(tag => tags.append(make('span', '', tag)));
  box.append(tags);
  if (value.heading) box.append(make('p', 'zb-heading', value.heading));
  if (value.history.length) {
    const list = make('ul', 'zb-history');
    value.history.forEach(line => list.append(make('li', '', line.replace(/^- /, ''))));
    box.append(list);
  }
  value.ask.split('\n').forEach(line => box.append(make('p', 'zb-ask', line)));
  const system = make('details', 'zb-system');
  system.append(make('summary', '', words().annotate_system), make('p', '', value.system));
  box.append(system);
  return box;
}

function candidateCard(candidate, index) {
  const card = make('article', 'zb-candidate');
  card.dataset.id = candidate.id;
  card.setAttribute('aria-label', sentence('annotate_candidate', { number: index + 1 }));
  card.append(make('span', 'zb-number', String(index + 1)));
  const text = make('p', 'zb-text', candidate.text || words().annotate_blank);
  text.lang = props.value.language;
  if (!candidate.text) text.classList.add('is-blank');
  card.append(text);
  const row = make('div', 'zb-choices');
  row.append(
    button('zb-best', words().annotate_best, String(index + 1), () => mark(index, 'best')),
    button('zb-worst', words().annotate_worst, '⇧' + (index + 1), () => mark(index, 'worst')));
  card.append(row);
  return card;
}

function render() {
  const value = props.value || {};
  busy = false;
  clearTimeout(polling);
  clearTimeout(patience);
  const board = element.querySelector('.zb-root');
  if (!board || !value.words) return;
  if (value.task_id !== shownTask) { best = value.best; worst = value.worst; }
  else { best = best || value.best; worst = worst || value.worst; }
  shownTask = value.task_id;
  board.replaceChildren(progressBar(value));
  if (value.notice) board.append(make('div', 'zb-notice', value.notice));
  if (value.task_id) {
    const cards = make('div', 'zb-candidates');
    value.candidates.forEach((candidate, index) => cards.append(candidateCard(candidate, index)));
    const actions = make('div', 'zb-actions');
    actions.append(
      button('zb-submit primary', words().annotate_submit, '⏎', submit),
      button('zb-undo', words().annotate_undo, 'U', () => send('undo', {})),
      button('zb-skip', words().annotate_skip, 'S', () => send('clear', { task_id: value.task_id })));
    const live = make('p', 'zb-live');
    live.setAttribute('aria-live', 'polite');
    board.append(promptBox(value), cards, actions, live, make('p', 'zb-help', words().annotate_help));
    choices();
  } else {
    board.append(make('div', value.waiting ? 'zb-empty is-waiting' : 'zb-empty',
      value.waiting ? words().annotate_waiting : words().annotate_done));
    const actions = make('div', 'zb-actions');
    actions.append(button('zb-undo', words().annotate_undo, 'U', () => send('undo', {})));
    board.append(actions);
    if (value.waiting) polling = setTimeout(() => { if (visible()) send('load', {}); else watchVisible(); }, 400);
  }
}

function visible() { return element.offsetParent !== null && element.getClientRects().length > 0; }

function watchVisible() {
  polling = setTimeout(() => { if (visible()) send('load', {}); else watchVisible(); }, 700);
}

function typing(target) {
  return target && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function onKey(event) {
  if (OWN !== window.zeroshelfBoard) return document.removeEventListener('keydown', onKey);
  if (!visible() || typing(event.target) || event.isComposing || event.keyCode === 229) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code);
  if (digit) mark(Number(digit[1]) - 1, event.shiftKey ? 'worst' : 'best');
  else if (event.code === 'Enter' || event.code === 'NumpadEnter') {
    // Enter on one of the board's buttons presses it, until both choices are made.
    if (element.contains(event.target) && event.target.tagName === 'BUTTON' && (best === null || worst === null)) return;
    if (props.value && props.value.task_id) submit();
  }
  else if (event.code === 'KeyU') send('undo', {});
  else if (event.code === 'KeyS' && props.value && props.value.task_id) send('clear', { task_id: props.value.task_id });
  else return;
  event.preventDefault();
}

document.addEventListener('keydown', onKey);
watch('value', render);
render();
