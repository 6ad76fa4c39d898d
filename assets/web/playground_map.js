// The map of a catalogue: a point an item, with history, query, answer and results set off. Text is only
// ever set as text, never as HTML.
const SVG = 'http://www.w3.org/2000/svg', WIDTH = 720, HEIGHT = 480, EDGE = 24, root = element.querySelector('.zp-map');
const ORDER = ['item', 'history', 'result', 'query', 'answer'];
let drawn = null;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function draw(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

const word = key => props.value.words[`playground_map_${key}`] || '';

function named(point) {
  const kind = word(point.kind), rank = point.rank ? `${point.rank}. ` : '';
  return point.title ? `${rank}${point.title}${point.domain ? ` · ${point.domain}` : ''} (${kind})` : kind;
}

function shape(point, x, y) {
  if (point.kind === 'history') return draw('rect', { x: x - 6, y: y - 6, width: 12, height: 12, rx: 2 });
  if (point.kind === 'query') return draw('path', { d: `M${x} ${y - 9}L${x + 9} ${y}L${x} ${y + 9}L${x - 9} ${y}Z` });
  if (point.kind === 'answer') return draw('path', { d: `M${x} ${y - 9}L${x + 9} ${y + 7}L${x - 9} ${y + 7}Z` });
  return draw('circle', { cx: x, cy: y, r: point.kind === 'result' ? 10 : 3.5 });
}

function dot(point, x, y, tip) {
  const group = draw('g', { class: `is-${point.kind}` });
  group.append(shape(point, x, y));
  if (point.rank) {
    const number = draw('text', { x, y: y + 3.5, 'text-anchor': 'middle' });
    number.textContent = point.rank;
    group.append(number);
  }
  if (point.kind !== 'item') {
    group.setAttribute('tabindex', '0');
    group.setAttribute('role', 'img');
    group.setAttribute('aria-label', named(point));
  }
  const show = () => {
    tip.textContent = named(point);
    tip.hidden = false;
    tip.style.left = `${Math.min(Math.max(100 * x / WIDTH, 12), 88)}%`;
    tip.style.top = `${100 * y / HEIGHT}%`;
  };
  ['pointerenter', 'focus', 'click'].forEach(name => group.addEventListener(name, show));
  ['pointerleave', 'blur'].forEach(name => group.addEventListener(name, () => { tip.hidden = true; }));
  return group;
}

function legend(kinds) {
  const line = make('div', 'zp-legend');
  kinds.forEach(kind => {
    const entry = make('span', '', word(kind)), sign = draw('svg', { viewBox: '-12 -12 24 24', 'aria-hidden': true });
    const group = draw('g', { class: `is-${kind}` });
    group.append(shape({ kind }, 0, 0));
    sign.append(group);
    entry.prepend(sign);
    line.append(entry);
  });
  return line;
}

function render() {
  const value = props.value;
  if (!value || value.serial === drawn) return;
  drawn = value.serial;
  const xs = value.points.map(p => p.x), ys = value.points.map(p => p.y);
  const low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
  const at = (v, axis, size) => EDGE + (v - low[axis]) / Math.max(high[axis] - low[axis], 1e-6) * (size - 2 * EDGE);
  const frame = make('div', 'zp-frame'), tip = make('div', 'zp-tip');
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': word('title') });
  tip.hidden = true;
  tip.setAttribute('role', 'status');
  const points = [...value.points].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  points.forEach(point => svg.append(dot(point, at(point.x, 0, WIDTH), HEIGHT - at(point.y, 1, HEIGHT), tip)));
  frame.append(svg, tip);
  const share = (100 * value.explained).toFixed(0), count = value.points.filter(p => p.catalog === value.catalog).length;
  const note = word('note').replace('{share}', share).replace('{count}', count).replace('{items}', value.items);
  const kinds = ORDER.filter(kind => points.some(point => point.kind === kind));
  root.replaceChildren(legend(kinds), frame, make('p', 'zp-scale', note));
}

watch('value', render);
render();
