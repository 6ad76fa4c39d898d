// What opens over the board: the reason of a skip or flag, help, guidelines, and one's own judgements.
function openReason(kind, send) {
  const reasons = ['same', 'unsure', 'language'], wrong = ['broken', 'offensive', 'private'];
  dialog('is-reason', word(kind + '_title'), box => {
    const form = make('form'), given = make('div', 'zb-given');
    const text = attributes(make('textarea'), { rows: 2, maxlength: 500, name: 'reason' });
    const submit = () => {
      if (kind === 'flag' && !text.value.trim()) return text.focus();
      box.close();
      send(text.value.trim());
    };
    (kind === 'skip' ? reasons : wrong).forEach((name, index) => {
      const pick = button('', word(`${kind}_${name}`), () => { text.value = word(`${kind}_${name}`); submit(); });
      pick.append(attributes(make('kbd', '', String(index + 1)), { 'aria-hidden': 'true' }));
      given.append(pick);
    });
    const go = make('button', 'primary', word(kind));
    form.append(make('p', 'zb-note', word(kind + '_info')), given, field(word('reason'), text), go);
    form.addEventListener('submit', event => { event.preventDefault(); submit(); });
    box.addEventListener('keydown', event => {
      if (event.isComposing || event.keyCode === 229) return;
      const digit = /^(?:Digit|Numpad)([1-3])$/.exec(event.code);
      if (digit && event.target !== text) { event.preventDefault(); given.children[digit[1] - 1].click(); }
      else if (event.key === 'Enter' && !event.shiftKey && event.target === text) {
        event.preventDefault();
        submit();
      }
    });
    box.append(form);
  }).querySelector('.zb-given button').focus();
}

function openHelp() {
  dialog('is-help', word('help'), box => {
    const table = make('div', 'zb-keys'), now = keys();
    Object.keys(now).forEach(action => {
      const row = make('div');
      row.append(make('span', '', actionName(action)), make('kbd', '', keyName(now[action])));
      table.append(row);
    });
    box.append(make('p', 'zb-note', word('help_text')), table);
  });
}

function openGuidelines(text) {
  dialog('is-guidelines', word('guidelines'), box => {
    const body = make('div', 'zb-text');
    // The file's lines are wrapped for its editor; only blank lines, lists and headings begin anew.
    body.append(markdown(text.replace(/(?<!\n)\n(?!\n|\s*[-*•]\s|\s*\d+[.)]\s|#)[ \t]*/g, ' '), []));
    box.append(body);
  });
}

function openMine(page, revise, more) {
  const open = element.querySelector('dialog.is-mine');
  const body = open ? open.querySelector('ol') : make('ol');
  if (!open) {
    dialog('is-mine', word('mine'), box => {
      box.append(make('p', 'zb-note', word(page.total ? 'mine_info' : 'mine_none')), body);
    });
  }
  const box = open || element.querySelector('dialog.is-mine');
  page.items.forEach(item => body.append(pastRow(item, () => { box.close(); revise(item.task_id); })));
  box.querySelector('.zb-older')?.remove();
  const shown = page.offset + page.items.length;
  if (shown < page.total) box.append(button('zb-older', word('mine_more'), () => more(shown)));
}

function pastRow(item, revise) {
  const row = make('li'), open = button('zb-past', '', revise);
  const head = make('span', 'zb-past-head');
  head.append(make('b', 'is-' + item.kind, word('past_' + item.kind)), make('time', '', moment(item.created)));
  if (item.revisions) head.append(make('span', '', word('past_revisions', { count: item.revisions })));
  open.replaceChildren(head, make('span', 'zb-past-ask', item.about));
  if (item.kind === 'judge') {
    for (const kind of ['best', 'worst']) {
      const line = make('span', 'zb-past-text');
      line.append(make('b', 'is-' + kind, word(kind)), ' ', item[kind]);
      open.append(line);
    }
  } else if (item.reason) open.append(make('span', 'zb-past-text', item.reason));
  row.append(open);
  return row;
}

function moment(created) {
  const language = document.documentElement.lang || undefined;
  return new Date(created).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
}
