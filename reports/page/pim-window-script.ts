/** Draws the commands of `commandWindow` on its canvas, which can be moved and zoomed by mouse and keyboard. */
export const windowScript = `(() => {
  const source = document.getElementById('commands');
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const root = document.querySelector('.lanes');
  const canvas = root.querySelector('canvas');
  const at = root.querySelector('.at');
  const pen = canvas.getContext('2d');
  const cycles = [];
  data.cycle.reduce((sum, step, i) => (cycles[i] = sum + step), data.from);
  const first = Math.min(data.from, cycles[0]);
  const longest = Math.max(...data.commands.map((one) => one.cycles));
  const end = cycles[cycles.length - 1] + data.commands[data.command[cycles.length - 1]].cycles;

  // Stretches with an open row, by bank: from, to, row.
  const open = data.banks.map((_, bank) => (data.open[bank] ? [[first, end, -1]] : []));
  const isOpen = data.open.slice();
  const banksOf = (i) => data.commands[data.command[i]].banks.flatMap(([from, count]) =>
    Array.from({ length: count }, (_, n) => data.bank[i] + from + n));
  cycles.forEach((cycle, i) => {
    const { opens } = data.commands[data.command[i]];
    if (!opens) return;
    for (const bank of banksOf(i)) {
      if (isOpen[bank]) open[bank][open[bank].length - 1][1] = cycle;
      isOpen[bank] = opens > 0;
      if (opens > 0) open[bank].push([cycle, end, data.row[i]]);
    }
  });

  const lane = Math.max(7, Math.min(18, Math.floor(560 / data.banks.length)));
  const [top, bottom, gap] = [26, 44, 8];
  let left = 80;
  const bufferLane = cycles.some((_, i) => data.commands[data.command[i]].banks.length === 0);
  const banksTop = top + (bufferLane ? 18 + gap : 0);
  const height = banksTop + lane * data.banks.length + bottom;
  const some = cycles[Math.min(cycles.length - 1, 120)];
  let view = { from: first, to: Math.max(first + 20, Math.min(end, some)) };

  const colour = (key) => getComputedStyle(root.querySelector('[data-key="' + key + '"]')).backgroundColor;
  const round = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  const x = (cycle) => left + ((cycle - view.from) / (view.to - view.from)) * (canvas.clientWidth - left - 12);
  const cycleAt = (px) => view.from + ((px - left) / (canvas.clientWidth - left - 12)) * (view.to - view.from);

  function step(span, room) {
    const rough = (span * 90) / room;
    const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
    return Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough));
  }

  function draw() {
    const width = canvas.clientWidth;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = height + 'px';
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(canvas);
    const ink = style.color;
    const soft = getComputedStyle(at).color;
    const paper = getComputedStyle(document.body).backgroundColor;
    const colours = {};
    for (const swatch of root.querySelectorAll('[data-key]')) colours[swatch.dataset.key] = colour(swatch.dataset.key);
    pen.clearRect(0, 0, width, height);
    pen.font = '11px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    left = Math.ceil(Math.max(...['buffers', ...data.banks].map((name) => pen.measureText(name).width)) + 16);
    const plotBottom = banksTop + lane * data.banks.length;

    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width - left - 12, plotBottom);
    pen.clip();
    pen.fillStyle = colours.open;
    open.forEach((stretches, bank) => {
      for (const [from, to] of stretches) {
        if (to < view.from || from > view.to) continue;
        pen.fillRect(x(from), banksTop + bank * lane + 0.5, x(to) - x(from), lane - 1);
      }
    });
    let i = cycles.findIndex((cycle) => cycle >= view.from - longest);
    const texts = [];
    for (; i >= 0 && i < cycles.length && cycles[i] <= view.to; i++) {
      const one = data.commands[data.command[i]];
      const from = x(cycles[i]);
      const wide = Math.max(0.75, x(cycles[i] + one.cycles) - from - (x(1) - x(0) > 3 ? 1 : 0));
      pen.fillStyle = colours[one.role];
      if (one.banks.length === 0) {
        pen.fillRect(from, top, wide, 18);
        texts.push([one, from, wide, top + 9]);
      }
      for (const [run, count] of one.banks) {
        const y = banksTop + (data.bank[i] + run) * lane;
        pen.fillRect(from, y + 0.5, wide, lane * count - 1);
        if (lane * count >= 11) texts.push([one, from, wide, y + (Math.floor(count / 2) + 0.5) * lane]);
      }
    }
    pen.fillStyle = paper;
    for (let bank = 1; bank < data.banks.length; bank++) {
      const parts = data.banks[bank].split('.');
      const before = data.banks[bank - 1].split('.');
      const outer = parts.length > 1 && parts.slice(0, -1).join() !== before.slice(0, -1).join();
      pen.fillRect(left, banksTop + bank * lane - (outer ? 1 : 0.25), width, outer ? 2 : 0.5);
    }
    pen.textAlign = 'center';
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    for (const [one, from, wide, y] of texts) {
      const [start, stop] = [Math.max(from, left), Math.min(from + wide, width - 12)];
      if (pen.measureText(one.name).width + 6 > stop - start) continue;
      pen.fillStyle = ['multiplies', 'closes', 'writes', 'refreshes'].includes(one.role) ? '#1b2128' : '#ffffff';
      pen.strokeStyle = colours[one.role];
      pen.strokeText(one.name, (start + stop) / 2, y);
      pen.fillText(one.name, (start + stop) / 2, y);
    }
    pen.restore();

    pen.fillStyle = soft;
    pen.textAlign = 'left';
    pen.fillText(data.levels.join(' . '), 0, 10);
    pen.textAlign = 'right';
    if (bufferLane) pen.fillText('buffers', left - 8, top + 9);
    const every = Math.max(1, Math.ceil(12 / lane));
    const size = [1, 2, 4, 8, 16, 32].find((n) => n >= every) || every;
    data.banks.forEach((name, bank) => {
      if (bank % size === 0) pen.fillText(name, left - 8, banksTop + (bank + 0.5) * lane);
    });
    pen.textAlign = 'center';
    pen.strokeStyle = soft;
    pen.lineWidth = 0.75;
    pen.beginPath();
    pen.moveTo(left, plotBottom + 0.5);
    pen.lineTo(width - 12, plotBottom + 0.5);
    const by = step(view.to - view.from, width - left - 12);
    for (let tick = Math.ceil(view.from / by) * by; tick <= view.to; tick += by) {
      pen.moveTo(x(tick), plotBottom);
      pen.lineTo(x(tick), plotBottom + 4);
      pen.fillText(tick.toLocaleString('en-US'), x(tick), plotBottom + 13);
    }
    pen.stroke();
    pen.fillStyle = ink;
    pen.font = '12px system-ui, sans-serif';
    pen.fillText('cycle (of ' + round(data.clock) + ' ns)', left + (width - left - 12) / 2, plotBottom + 32);
  }

  function show(from, to) {
    const span = Math.min(end - first, Math.max(10, to - from));
    const start = Math.max(first, Math.min(end - span, from));
    view = { from: start, to: start + span };
    at.textContent = 'cycles ' + Math.round(view.from).toLocaleString('en-US') + ' to ' + Math.round(view.to).toLocaleString('en-US');
    draw();
  }
  function zoom(factor, around = (view.from + view.to) / 2) {
    show(around - (around - view.from) * factor, around + (view.to - around) * factor);
  }
  function move(share) {
    const by = (view.to - view.from) * share;
    show(view.from + by, view.to + by);
  }
  const actions = {
    in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.25), right: () => move(0.25), all: () => show(first, end),
  };
  const keys = { '+': 'in', '=': 'in', '-': 'out', ArrowLeft: 'left', ArrowRight: 'right', Home: 'all', 0: 'all' };
  for (const button of root.querySelectorAll('[data-do]')) button.addEventListener('click', actions[button.dataset.do]);
  canvas.addEventListener('keydown', (event) => {
    const action = actions[keys[event.key]];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action();
  });
  canvas.addEventListener('wheel', (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, cycleAt(event.offsetX));
  }, { passive: false });
  canvas.addEventListener('dblclick', (event) => zoom(0.5, cycleAt(event.offsetX)));
  let held = null;
  canvas.addEventListener('pointerdown', (event) => {
    held = { x: event.clientX, view };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', () => (held = null));
  canvas.addEventListener('pointermove', (event) => {
    canvas.tip = '';
    if (held) {
      const by = ((held.x - event.clientX) / (canvas.clientWidth - left - 12)) * (held.view.to - held.view.from);
      show(held.view.from + by, held.view.to + by);
      return;
    }
    canvas.tip = told(cycleAt(event.offsetX), event.offsetX, event.offsetY);
  });

  function told(cycle, px, py) {
    if (px < left || cycle > view.to) return '';
    const bank = Math.floor((py - banksTop) / lane);
    const isBuffer = bufferLane && py >= top && py < top + 18;
    if (!isBuffer && (bank < 0 || bank >= data.banks.length)) return '';
    let text = '';
    for (let i = 0; i < cycles.length && cycles[i] <= cycle; i++) {
      const one = data.commands[data.command[i]];
      if (cycle >= cycles[i] + one.cycles) continue;
      const hit = isBuffer ? one.banks.length === 0
        : one.banks.some(([run, count]) => bank >= data.bank[i] + run && bank < data.bank[i] + run + count);
      if (!hit) continue;
      text = one.name + ' at cycle ' + cycles[i].toLocaleString('en-US') + ', for ' + one.cycles;
      if (data.row[i] >= 0) text += '\\nrow ' + data.row[i];
    }
    if (isBuffer) return text;
    const place = data.levels.map((level, n) => level + ' ' + data.banks[bank].split('.')[n]).join(', ');
    const stretch = open[bank].find(([from, to]) => cycle >= from && cycle < to);
    const row = stretch ? (stretch[2] < 0 ? '\\na row is open' : '\\nrow ' + stretch[2] + ' is open') : '\\nno row is open';
    return place + (text ? '\\n' + text : '') + row;
  }

  new ResizeObserver(draw).observe(canvas.parentNode);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  document.getElementById('theme').addEventListener('click', () => requestAnimationFrame(draw));
  draw();
})();`;
