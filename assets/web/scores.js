// Histograms of the quality score, one a source, with one threshold over all of them. Moving it counts
// again in the page; letting go tells the server. Text is only ever set as text, never as HTML.
const SVG = 'http://www.w3.org/2000/svg', WIDTH = 640, HEIGHT = 96;
let threshold = null, drawn = null, shownJob = null;

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

function sentence(key, values) {
  return (props.value.words[key] || '').replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function number(value) { return value.toLocaleString(document.documentElement.lang || undefined); }

function kept(counts) {
  const bins = Math.round(threshold / props.value.step);
  return counts.slice(0, bins).reduce((a, b) => a + b, 0);
}

function spoken(counts) {
  const all = counts.reduce((a, b) => a + b, 0), stay = kept(counts), out = all - stay;
  const share = all ? (100 * out / all).toFixed(1) : '0.0';
  return sentence('data_kept', { kept: number(stay), dropped: number(out), share });
}

function move(value) {
  const { step, bins } = props.value;
  threshold = Math.min(Math.max(Math.round(value / step) * step, step), (bins - 1) * step);
  update();
}

function settle() { trigger('change', { threshold }); }

function update() {
  const { step, bins, groups } = props.value, root = element.querySelector('.zh-root');
  root.querySelector('.zh-value').textContent = threshold.toFixed(2);
  root.querySelector('.zh-range').value = threshold;
  const total = groups[0].counts.map((_, bin) => groups.reduce((sum, g) => sum + g.counts[bin], 0));
  root.querySelector('.zh-total').textContent = spoken(total);
  const x = threshold / (bins * step) * WIDTH;
  root.querySelectorAll('.zh-group').forEach((box, index) => {
    box.querySelector('.zh-kept').textContent = spoken(groups[index].counts);
    box.querySelectorAll('rect').forEach(bar =>
      bar.classList.toggle('is-out', Number(bar.dataset.bin) * step >= threshold - 1e-9));
    box.querySelector('line').setAttribute('x1', x);
    box.querySelector('line').setAttribute('x2', x);
  });
}

function histogram(counts) {
  const { bins, step } = props.value, most = Math.max(...counts, 1), wide = WIDTH / bins;
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': true });
  counts.forEach((count, bin) => {
    if (!count) return;
    const high = Math.max(1, HEIGHT * count / most);
    const bar = draw('rect', { x: bin * wide, y: HEIGHT - high, width: Math.max(wide - 0.6, 0.6), height: high });
    bar.dataset.bin = bin;
    bar.append(draw('title', {}));
    bar.firstChild.textContent = `${(bin * step).toFixed(2)}: ${number(count)}`;
    svg.append(bar);
  });
  svg.append(draw('line', { y1: 0, y2: HEIGHT, x1: 0, x2: 0 }));
  const follow = event => {
    const box = svg.getBoundingClientRect();
    move((event.clientX - box.left) / box.width * bins * step);
  };
  svg.addEventListener('pointerdown', event => {
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    follow(event);
    svg.addEventListener('pointermove', follow);
    svg.addEventListener('pointerup', () => { svg.removeEventListener('pointermove', follow); settle(); }, { once: true });
  });
  return svg;
}

function axis() {
  const { bins, step } = props.value, line = make('div', 'zh-axis');
  for (let tick = 0; tick < bins * step; tick += 5) {
    const label = make('span', '', String(tick));
    label.style.left = `${100 * tick / (bins * step)}%`;
    line.append(label);
  }
  return line;
}

function render() {
  const value = props.value, root = element.querySelector('.zh-root');
  if (!root || !value || value.serial === drawn) return;
  drawn = value.serial;
  if (!value.groups.length) return root.replaceChildren(make('div', 'zs-empty', value.words.data_no_rows));
  if (shownJob !== value.job) threshold = value.threshold; // what was moved stays while rows come in
  shownJob = value.job;
  const bar = make('div', 'zh-bar'), label = make('label', '', value.words.data_threshold + ' ');
  const range = make('input', 'zh-range');
  Object.assign(range, { type: 'range', min: value.step, max: (value.bins - 1) * value.step, step: value.step });
  range.addEventListener('input', () => move(Number(range.value)));
  range.addEventListener('change', settle);
  label.append(make('output', 'zh-value'), range);
  const total = make('b', 'zh-total');
  total.setAttribute('aria-live', 'polite');
  bar.append(label, total);
  root.replaceChildren(bar, ...value.groups.map(group => {
    const box = make('section', 'zh-group'), head = make('header');
    head.append(make('b', '', group.label), make('span', 'zh-kept'));
    box.append(head, histogram(group.counts), axis());
    if (group.other) box.append(make('p', 'zh-other', group.other));
    return box;
  }));
  update();
}

watch('value', render);
render();
