// Which key does what. A key is named by its place on the keyboard (event.code), so that Shift+1 is the same
// key on an English, French or Korean keyboard; own keys are kept in this browser.
const NAMES = {
  Space: '␣', Enter: '⏎', Backspace: '⌫', Semicolon: ';', Quote: "'", Comma: ',', Period: '.', Slash: '/',
  BracketLeft: '[', BracketRight: ']', Minus: '-', Equal: '=', Backquote: '`', Backslash: '\\',
  ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Delete: '⌦',
};
const RESERVED = /^(Escape|Tab|CapsLock|NumLock|ContextMenu|F\d+|(Shift|Control|Alt|Meta|OS).*|Lang\d|Convert|NonConvert|KanaMode|HangulMode|Hanja)$/;
let printed = null; // what this keyboard prints at each place, where the browser tells
if (navigator.keyboard?.getLayoutMap) {
  navigator.keyboard.getLayoutMap().then(map => { printed = map; labelKeys(); }).catch(() => {});
}

function layouts() { return props.keys; }

function keys() {
  const layout = layouts()[stored('layout', 'standard')] || layouts().standard;
  const own = stored('keys', {});
  return Object.fromEntries(Object.entries(layout).map(([action, key]) =>
    [action, typeof own[action] === 'string' ? own[action] : key]));
}

function keyOf(event) {
  const code = event.code.replace(/^Numpad(\d)$/, 'Digit$1').replace(/^NumpadEnter$/, 'Enter');
  return (event.shiftKey ? 'Shift+' : '') + code;
}

function keyName(key) {
  const code = key.replace('Shift+', '');
  const said = /^Digit\d$/.test(code) ? code.slice(5) : printed?.get(code) || NAMES[code] || code.replace(/^Key/, '');
  if (key === 'Shift+Slash' && said === '/') return '?';
  return (key.startsWith('Shift+') ? '⇧' : '') + said.toUpperCase();
}

// For assistive technology, in the words of aria-keyshortcuts.
function keyShortcut(key) {
  const code = key.replace('Shift+', '');
  return (key.startsWith('Shift+') ? 'Shift+' : '') + code.replace(/^(Key|Digit)/, '');
}

// Show an action's key on its button, now and whenever the keys change.
function keyed(node, action) {
  node.dataset.action = action;
  const cap = attributes(make('kbd'), { 'aria-hidden': 'true' });
  node.append(cap);
  labelKey(node);
  return node;
}

function labelKey(node) {
  const key = keys()[node.dataset.action];
  node.querySelector('kbd').textContent = keyName(key);
  node.setAttribute('aria-keyshortcuts', keyShortcut(key));
}

function labelKeys() { element.querySelectorAll('[data-action]').forEach(labelKey); }

// The action of a key press, or undefined while somebody types, composes or is in a dialog.
function actionOf(event) {
  if (event.isComposing || event.keyCode === 229 || event.repeat || dialogOpen()) return undefined;
  if (event.ctrlKey || event.metaKey || event.altKey || event.getModifierState('AltGraph')) return undefined;
  if (typing(event.target) || answersItself(event)) return undefined;
  const pressed = keyOf(event), bound = Object.entries(keys());
  const found = bound.find(([, key]) => key === pressed);
  if (found) return found[0];
  return event.key === '?' ? 'help' : undefined; // wherever this keyboard has it
}

function typing(target) {
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return target.tagName === 'INPUT' && !/^(radio|checkbox|button|submit|file)$/.test(target.type);
}

// Enter and Space press what has the focus, arrows choose among tabs and radio buttons; but not what was only
// clicked with a pointer, such as the tab through which somebody came here before this script was loaded.
let pointed = document.activeElement;
document.addEventListener('pointerdown', event => { pointed = event.target; }, { capture: true, passive: true });
document.addEventListener('keydown', event => { if (event.key === 'Tab') pointed = null; }, { capture: true });

function answersItself(event) {
  if (!/^(Enter|NumpadEnter|Space|Arrow\w+)$/.test(event.code)) return false;
  if (pointed && event.target.contains(pointed)) return false;
  return event.target.closest('button, a[href], summary, input, [role="tab"], [role="button"]') !== null;
}

function actionName(action) {
  const [, kind, place] = /^(best|worst)?(\d)?/.exec(action);
  return kind ? word('key_' + kind, { number: place }) : word('key_' + action);
}

// The settings: a layout, every key, and the daily goal.
function openSettings(changed) {
  dialog('is-settings', word('settings'), box => {
    const redraw = () => { body.replaceChildren(...settingsRows(redraw, say)); labelKeys(); changed(); };
    const say = message => { note.textContent = message; };
    const note = attributes(make('p', 'zb-note'), { role: 'status' }), body = make('div');
    box.append(body, note);
    redraw();
  });
}

function settingsRows(redraw, say) {
  const goal = attributes(make('input'), { type: 'number', min: 0, max: 2000, step: 10, inputmode: 'numeric' });
  goal.value = stored('goal', 0);
  goal.addEventListener('change', () => {
    store('goal', Math.min(Math.max(Math.round(Number(goal.value)) || 0, 0), 2000));
    redraw();
  });
  const layout = make('select', 'zb-layout');
  Object.keys(layouts()).forEach(name => {
    const option = make('option', '', word('layout_' + name));
    option.value = name;
    layout.append(option);
  });
  layout.value = stored('layout', 'standard');
  layout.addEventListener('change', () => {
    store('layout', layout.value);
    store('keys', {});
    redraw();
    element.querySelector('.zb-layout').focus();
  });
  const reset = button('zb-reset', word('keys_reset'), () => {
    store('keys', {});
    redraw();
    say(word('keys_are_reset'));
  });
  const table = make('div', 'zb-keys');
  Object.keys(layouts().standard).forEach(action => table.append(keyRow(action, redraw, say)));
  const reveal = attributes(make('input'), { type: 'checkbox' });
  reveal.checked = stored('reveal', false);
  reveal.addEventListener('change', () => store('reveal', reveal.checked));
  return [
    field(word('goal'), goal, word('goal_info')), field(word('reveal'), reveal, word('reveal_info')),
    field(word('layout'), layout), table, reset,
  ];
}

function field(label, control, info) {
  const row = make('label', 'zb-field');
  row.append(make('span', '', label), control);
  if (info) row.append(make('small', '', info));
  return row;
}

function keyRow(action, redraw, say) {
  const row = make('div'), change = button('zb-key', keyName(keys()[action]), () => listen());
  change.setAttribute('aria-label', `${actionName(action)}: ${keyName(keys()[action])}. ${word('key_change')}`);
  row.append(make('span', '', actionName(action)), change);
  const listen = () => {
    change.focus();
    change.firstChild.textContent = word('key_press');
    change.classList.add('is-listening');
    say(word('key_press_for', { action: actionName(action) }));
    change.addEventListener('keydown', take);
    change.addEventListener('blur', stop, { once: true });
  };
  const stop = () => {
    change.removeEventListener('keydown', take);
    change.classList.remove('is-listening');
    change.firstChild.textContent = keyName(keys()[action]);
  };
  const take = event => {
    if (event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') { stop(); return say(''); }
    if (/^(Shift|Control|Alt|Meta)$/.test(event.key)) return;
    const key = keyOf(event), free = !(event.ctrlKey || event.metaKey || event.altKey);
    if (!free || !event.code || RESERVED.test(event.code)) return say(word('key_reserved'));
    const other = Object.entries(keys()).find(([name, taken]) => taken === key && name !== action);
    if (other) return say(word('key_taken', { key: keyName(key), action: actionName(other[0]) }));
    store('keys', { ...stored('keys', {}), [action]: key });
    stop();
    redraw();
    say(word('key_changed', { action: actionName(action), key: keyName(key) }));
    element.querySelectorAll('.zb-key')[Object.keys(layouts().standard).indexOf(action)].focus();
  };
  return row;
}
