// How a candidate's text is shown: a small, safe part of Markdown built out of nodes (never as HTML), with
// what it repeats greyed and, where asked for, what no other candidate says highlighted.
const REPEATED_WORDS = 4;

function tokens(text) {
  return [...text.matchAll(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)].map(found => ({
    word: found[0].normalize('NFC').toLowerCase(), start: found.index, end: found.index + found[0].length,
  }));
}

// Ranges of passages said before in the same text: whole sentences, and runs of four words or more.
function repeats(text) {
  const found = tokens(text), again = new Array(found.length).fill(false), seen = new Map();
  for (let i = 0; i + REPEATED_WORDS <= found.length; i++) {
    const run = found.slice(i, i + REPEATED_WORDS).map(t => t.word).join(' ');
    if (seen.has(run) && seen.get(run) + REPEATED_WORDS <= i) again.fill(true, i, i + REPEATED_WORDS);
    else if (!seen.has(run)) seen.set(run, i);
  }
  const said = new Set();
  for (let from = 0; from < found.length;) {
    let to = from + 1;
    while (to < found.length && !/[.!?。…\n]/.test(text.slice(found[to - 1].end, found[to].start))) to++;
    const sentence = found.slice(from, to).map(t => t.word).join(' ');
    if (to - from > 1 && said.has(sentence)) again.fill(true, from, to);
    said.add(sentence);
    from = to;
  }
  return ranges(found, again, 'zb-again');
}

// Ranges of the words that none of the other texts has.
function differences(text, others) {
  const known = new Set(others.flatMap(other => tokens(other).map(t => t.word)));
  const found = tokens(text);
  return ranges(found, found.map(t => !known.has(t.word)), 'zb-only');
}

function ranges(found, marked, className) {
  const made = [];
  found.forEach((token, i) => {
    if (!marked[i]) return;
    if (i && marked[i - 1]) made[made.length - 1].end = token.end;
    else made.push({ start: token.start, end: token.end, className });
  });
  return made;
}

// Append text[start, end) to a node, split where a range begins or ends.
function append(node, text, start, end, marks) {
  const cuts = new Set([start, end]);
  marks.forEach(m => [m.start, m.end].forEach(cut => { if (cut > start && cut < end) cuts.add(cut); }));
  const sorted = [...cuts].sort((a, b) => a - b);
  for (let i = 0; i + 1 < sorted.length; i++) {
    const classes = marks.filter(m => m.start <= sorted[i] && m.end >= sorted[i + 1]).map(m => m.className);
    const piece = text.slice(sorted[i], sorted[i + 1]);
    const tag = classes.includes('zb-only') ? 'mark' : 'span';
    node.append(classes.length ? make(tag, classes.join(' '), piece) : piece);
  }
}

const INLINE = /\*\*(?=\S)(.{1,500}?\S?)\*\*|\*(?=[^\s*])(.{1,500}?)\*|`([^`\n]{1,500})`/g;

function inline(node, text, start, end, marks) {
  let at = start;
  for (const found of text.slice(start, end).matchAll(INLINE)) {
    const open = start + found.index, edge = found[1] !== undefined ? 2 : 1;
    const inner = make(found[1] !== undefined ? 'strong' : found[2] !== undefined ? 'em' : 'code');
    append(node, text, at, open, marks);
    at = open + found[0].length;
    append(inner, text, open + edge, at - edge, marks);
    node.append(inner);
  }
  append(node, text, at, end, marks);
}

// The blocks of a text: paragraphs, headings, bullets and numbered lists; anything else is plain text.
function markdown(text, marks) {
  const whole = document.createDocumentFragment();
  let block = null, start = 0;
  for (const line of text.split('\n')) {
    const end = start + line.length;
    const list = /^\s*(?:([-*•])|(\d{1,3})[.)])\s+(?=\S)/.exec(line), heading = /^#{1,6}\s+(?=\S)/.exec(line);
    if (!line.trim()) block = null;
    else if (list) {
      const tag = list[1] ? 'UL' : 'OL';
      if (block?.tagName !== tag) whole.append(block = make(tag));
      const item = make('li');
      if (list[2]) item.value = Number(list[2]);
      inline(item, text, start + list[0].length, end, marks);
      block.append(item);
    } else if (heading) {
      const title = make('p', 'zb-title');
      inline(title, text, start + heading[0].length, end, marks);
      whole.append(title);
      block = null;
    } else {
      if (block?.tagName === 'P') block.append(make('br'));
      else whole.append(block = make('p'));
      inline(block, text, start, end, marks);
    }
    start = end + 1;
  }
  return whole;
}
