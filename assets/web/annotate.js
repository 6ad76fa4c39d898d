// The annotation board: draws the task that the server sends, keeps the two choices in the page, and sends
// them back. Its frame is built once; only what differs is drawn again, so that nothing jumps between prompts.
const OWN = window.zeroshelfBoard = (window.zeroshelfBoard || 0) + 1;
const PATIENCE_MS = 15000, DRAFT_MS = 200, BEAT_MS = 25000, POLL_MS = 400, HIDDEN_MS = 700;
const ENDS_A_DRAFT = new Set(['submit', 'skip', 'flagged', 'undo']);
let board = {}, best = null, worst = null, busy = false, alive = false, shown = null;
let patience = null, polling = null, saving = null, heard = 0;
let part = null; // the frame's parts by name, once it is built

function midnight() { const day = new Date(); day.setHours(0, 0, 0, 0); return day.toISOString(); }

function send(event, data = {}) {
  if (busy) return;
  busy = true;
  part?.stage.setAttribute('aria-busy', 'true');
  clearTimeout(patience);
  if (ENDS_A_DRAFT.has(event)) clearTimeout(saving);
  // A request that got lost must not lock the board: the choices are still here, to be sent again.
  patience = setTimeout(() => { settle(); if (board.waiting) load(); }, PATIENCE_MS);
  trigger(event, { ...data, since: midnight() });
}

function load() { send('next'); }

function settle() {
  busy = false;
  clearTimeout(patience);
  part?.stage.classList.remove('is-sent');
  part?.stage.setAttribute('aria-busy', 'false');
}

function choose(index, kind) {
  const candidate = board.task?.candidates[index];
  if (!candidate || busy) return;
  if (kind === 'best') {
    best = best === candidate.id ? null : candidate.id;
    if (best !== null && worst === best) worst = null;
  } else {
    worst = worst === candidate.id ? null : candidate.id;
    if (worst !== null && best === worst) best = null;
  }
  showChoices();
  const chosen = (kind === 'best' ? best : worst) === candidate.id;
  const ready = best !== null && worst !== null ? ' ' + word('ready', { key: keyName(keys().submit) }) : '';
  say(word(chosen ? 'chosen' : 'unchosen', { number: index + 1, choice: word(kind) }) + ready);
  clearTimeout(saving);
  const draft = { task_id: board.task.task_id, best: best || '', worst: worst || '' };
  saving = setTimeout(() => trigger('draft', draft), DRAFT_MS);
}

function showChoices() {
  element.querySelectorAll('.zb-candidate').forEach(card => {
    const id = card.dataset.id;
    card.classList.toggle('is-best', id === best);
    card.classList.toggle('is-worst', id === worst);
    card.querySelector('.zb-verdict').textContent = id === best ? word('best') : id === worst ? word('worst') : '';
    card.querySelector('.zb-best').setAttribute('aria-pressed', String(id === best));
    card.querySelector('.zb-worst').setAttribute('aria-pressed', String(id === worst));
  });
  part.submit.disabled = !board.task || best === null || worst === null;
}

function submit() {
  if (best === null || worst === null) return say(word('both'));
  if (!board.revising) showProgress({ ...board.progress, done: board.progress.done + 1 });
  part.stage.classList.add('is-sent');
  send('submit', { task_id: board.task.task_id, best, worst, reveal: stored('reveal', false) });
}

function say(message) { part.live.textContent = message; }

function compare() {
  store('compare', !stored('compare', false));
  part.compare.setAttribute('aria-pressed', String(stored('compare', false)));
  element.querySelectorAll('.zb-candidate').forEach((card, index) =>
    writeText(board.task, board.task.candidates[index], card.querySelector('.zb-text')));
  say(word(stored('compare', false) ? 'compare_on' : 'compare_off'));
}

const ACTIONS = {
  submit: () => board.task && submit(),
  undo: () => send('undo'),
  skip: () => board.task && openReason('skip', reason => send('skip', { task_id: board.task.task_id, reason })),
  flag: () => board.task && openReason('flag', reason => send('flagged', { task_id: board.task.task_id, reason })),
  compare: () => board.task && compare(),
  mine: () => send('mine', { offset: 0 }),
  guidelines: () => send('guidelines'),
  help: openHelp,
};

function act(action) {
  const [, kind, place] = /^(best|worst)?(\d)?/.exec(action);
  if (kind) choose(Number(place) - 1, kind);
  else ACTIONS[action]();
}

function frame() {
  const root = element.querySelector('.zb-root'), tool = name =>
    keyed(button('zb-' + name, word(name), () => act(name)), name);
  part = {
    progress: make('div', 'zb-progress'), tools: attributes(make('div', 'zb-tools'), { role: 'toolbar', 'aria-label': word('tools') }),
    notice: attributes(make('div', 'zb-notice'), { role: 'alert', hidden: '' }),
    revising: attributes(make('div', 'zb-revising'), { hidden: '' }),
    stage: make('div', 'zb-stage'), actions: attributes(make('div', 'zb-actions'), { role: 'toolbar', 'aria-label': word('actions') }),
    live: attributes(make('p', 'zb-live'), { 'aria-live': 'polite', role: 'status' }),
    compare: tool('compare'), submit: tool('submit'),
  };
  part.compare.setAttribute('aria-pressed', String(stored('compare', false)));
  part.submit.classList.add('primary');
  const settings = button('zb-opensettings', word('settings'), () => openSettings(() => { labelKeys(); showProgress(board.progress); }));
  part.tools.append(part.compare, tool('mine'), tool('guidelines'), tool('help'), settings);
  part.revising.append(make('span', '', word('revising')), button('', word('revising_stop'), load));
  part.actions.append(part.submit, tool('undo'), tool('skip'), tool('flag'), part.live);
  const top = make('div', 'zb-top');
  top.append(part.progress, part.tools);
  root.replaceChildren(top, part.notice, part.revising, part.stage, part.actions);
}

function showProgress(progress) {
  if (!progress) return;
  const bar = make('div', 'zb-bar'), fill = make('i'), said = word('progress', progress), goal = stored('goal', 0);
  attributes(bar, { role: 'progressbar', 'aria-valuenow': progress.done, 'aria-valuemin': 0, 'aria-valuemax': progress.total, 'aria-label': said });
  fill.style.width = progress.total ? `${100 * progress.done / progress.total}%` : '0';
  bar.append(fill);
  const facts = [goal ? word('today_goal', { ...progress, goal }) : progress.today ? word('today', progress) : '', progress.pace, progress.left];
  const row = make('div', 'zb-facts');
  row.append(make('b', '', said), ...facts.filter(Boolean).map(fact => make('span', '', fact)));
  part.progress.replaceChildren(row, bar);
}

function showTask() {
  const task = board.task;
  part.tools.classList.toggle('is-idle', !task);
  if (!task) {
    const state = board.waiting ? 'waiting' : board.notice ? 'stuck' : 'done';
    const empty = make('div', 'zb-empty is-' + state, word(state));
    if (state === 'stuck') empty.append(button('', word('retry'), load));
    return part.stage.replaceChildren(empty);
  }
  const cards = make('div', 'zb-candidates');
  cards.append(...task.candidates.map((candidate, index) => candidateCard(task, candidate, index, choose)));
  const held = element.contains(document.activeElement) || document.activeElement === document.body;
  part.stage.replaceChildren(promptBox(task), cards);
  if (visible()) settleLayout();
  if (held && !dialogOpen() && shown !== null) part.stage.querySelector('.zb-prompt').focus({ preventScroll: true });
  if (shown !== null && element.getBoundingClientRect().top < 0) element.scrollIntoView({ block: 'start' });
}

// The prompt and the cards keep the room that they once took, so that the next ones stay where they are.
function settleLayout() {
  const cards = part.stage.querySelector('.zb-candidates'), prompt = part.stage.querySelector('.zb-prompt');
  if (!cards || cards.dataset.settled) return;
  cards.dataset.settled = 'yes';
  cards.querySelectorAll('.zb-candidate').forEach(fold);
  const room = (name, node) => {
    const kept = parseFloat(part.stage.style.getPropertyValue(name)) || 0, tall = node.getBoundingClientRect().height;
    if (tall > kept) part.stage.style.setProperty(name, `${Math.min(tall, innerHeight * 0.45)}px`);
  };
  room('--zb-prompt-room', prompt);
  room('--zb-cards-room', cards);
}

function render() {
  const value = props.value;
  if (!value || value.serial <= heard || !element.querySelector('.zb-root')) return;
  heard = value.serial;
  clearTimeout(polling);
  words = value.words || words;
  if (!part) frame();
  settle();
  if (value.kind === 'guidelines') return openGuidelines(value.text);
  if (value.kind === 'mine') return openMine(value, id => send('revise', { task_id: id }), offset => send('mine', { offset }));
  board = value;
  part.notice.textContent = board.notice;
  part.notice.hidden = !board.notice;
  part.revising.hidden = !board.revising;
  showProgress(board.progress);
  const task = board.task, same = task && task.key === shown;
  if (!same) {
    showTask();
    best = task?.best ?? null;
    worst = task?.worst ?? null;
  }
  if (board.said || !same) say(board.said);
  shown = part.stage.dataset.key = task ? task.key : '';
  showChoices();
  if (board.waiting) poll();
}

function poll() {
  polling = setTimeout(() => { if (visible()) load(); else poll(); }, visible() ? POLL_MS : HIDDEN_MS);
}

function visible() { return element.offsetParent !== null && element.getClientRects().length > 0; }

function onKey(event) {
  if (OWN !== window.zeroshelfBoard) return document.removeEventListener('keydown', onKey);
  alive = true;
  if (!part || !visible()) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  act(action);
}

// While somebody works on a task the server hears of it, so that it stays theirs and their time counts.
function beat() {
  if (OWN !== window.zeroshelfBoard) return;
  if (alive && board.task && visible() && !document.hidden) trigger('touch', { task_id: board.task.task_id });
  alive = false;
  setTimeout(beat, BEAT_MS);
}

document.addEventListener('keydown', onKey);
for (const sign of ['pointermove', 'pointerdown', 'scroll']) {
  document.addEventListener(sign, () => { alive = true; }, { passive: true, capture: true });
}
new ResizeObserver(() => { if (part && visible()) settleLayout(); }).observe(element);
addEventListener('resize', () => part?.stage.removeAttribute('style'));
setTimeout(beat, BEAT_MS);
watch('value', render);
render();
