/* global Plot, d3, Node, matchMedia */
// The page's own code: reads the JSON that stands in the page and draws it with Observable Plot. Every
// figure has the same numbers as a table below it; every control is a button or reacts to keys.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const { boot, check, bench, published } = data;
  const PAGE = 4096;
  const byId = (id) => document.getElementById(id);
  const count = d3.format(',');
  const NODE_COLORS = [
    '#4e79a7',
    '#f28e2b',
    '#59a14f',
    '#b07aa1',
    '#e15759',
    '#76b7b2',
    '#edc948',
    '#9c755f',
  ];
  const nodeColor = (nid) => NODE_COLORS[nid % NODE_COLORS.length];
  const ZONE_COLORS = {
    DMA: '#b07aa1',
    DMA32: '#76b7b2',
    Normal: '#4e79a7',
    HighMem: '#9c755f',
    Movable: '#edc948',
    Device: '#e15759',
  };
  const KIND_COLORS = {
    usable: '#59a14f',
    reserved: '#8b939c',
    'ACPI data': '#edc948',
    'ACPI NVS': '#f28e2b',
    unusable: '#e15759',
    persistent: '#b07aa1',
    unaccepted: '#76b7b2',
  };
  const kindColor = (kind) =>
    KIND_COLORS[kind] ?? (kind.startsWith('persistent') ? KIND_COLORS.persistent : '#9c755f');
  const TYPE_COLORS = {
    Unmovable: '#8b939c',
    Movable: '#4e79a7',
    Reclaimable: '#59a14f',
    HighAtomic: '#e15759',
    CMA: '#edc948',
    Isolate: '#f28e2b',
  };

  function bytes(value) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
    let unit = 0;
    while (Math.abs(value) >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return `${+value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : 2)} ${units[unit]}`;
  }
  const hex = (value) => `0x${value.toString(16)}`;
  const milliseconds = (value) => `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ms`;

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function table(columns, rows) {
    const head = element(
      'tr',
      {},
      ...columns.map((c) =>
        element('th', { scope: 'col', class: c.number ? 'number' : '' }, c.title),
      ),
    );
    const body = rows.map((row) => {
      const tr = element('tr', row.attributes ?? {});
      (row.cells ?? row).forEach((cell, index) => {
        const td = element('td', { class: columns[index].number ? 'number' : '' });
        td.append(cell instanceof Node ? cell : String(cell));
        tr.append(td);
      });
      return tr;
    });
    return element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
  }

  function numbers(figureId, columns, rows) {
    const scroll = element('div', { class: 'scroll', tabindex: '0' }, table(columns, rows));
    byId(figureId).after(element('details', {}, element('summary', {}, 'The numbers'), scroll));
  }

  function swatches(entries) {
    return element(
      'div',
      { class: 'swatches-row' },
      ...entries.map(([name, color]) => {
        const mark = element('i', { 'aria-hidden': 'true' });
        mark.style.background = color;
        return element('span', {}, mark, name);
      }),
    );
  }

  const base = (extra) => ({
    width: 1150,
    style: { background: 'transparent', color: 'inherit', fontSize: '12px', fontFamily: 'inherit' },
    ...extra,
  });

  function tickValues(start, end) {
    // Binary steps: ticks that fall on powers of two read well as sizes.
    let step = 2 ** Math.ceil(Math.log2((end - start) / 10));
    if (!(step >= 1)) step = 1;
    return d3.range(Math.ceil(start / step) * step, end + 1, step);
  }

  // --- cards -------------------------------------------------------------------------------------
  function cards() {
    const { machine, timing } = boot;
    const list = [
      ['memory', bytes(machine.memoryBytes), 'memory', machine.memoryBytes],
      ['nodes', String(machine.nodeCount), 'nodes', machine.nodeCount],
      ['cpus', String(machine.cpuCount), 'cpus', machine.cpuCount],
      [
        'first allocation',
        milliseconds(timing.firstAllocationMs),
        'first-allocation',
        timing.firstAllocationMs,
      ],
      ['everything ready', milliseconds(timing.totalMs), 'total', timing.totalMs],
      [
        'pages a second',
        `${(timing.pagesPerSecond / 1e6).toFixed(1)} M`,
        'rate',
        timing.pagesPerSecond,
      ],
      ['facts equal', `${check.equal} of ${check.equal + check.differs}`, 'equal', check.equal],
    ];
    byId('cards').append(
      ...list.map(([label, text, key, value]) =>
        element(
          'li',
          {},
          element('b', { 'data-figure': key, 'data-value': String(value) }, text),
          element('span', {}, label),
        ),
      ),
    );
  }

  // --- physical address map ------------------------------------------------------------------------
  function addressMap() {
    const ramEnd = d3.max(boot.zones, (zone) => (zone.startPfn + zone.spannedPages) * PAGE) ?? 1;
    const mapEnd = Math.max(ramEnd, d3.max(boot.firmwareMap, (range) => range.end) ?? 1);
    const zooms = [
      ['All memory', 0, ramEnd],
      ['Below 4 GiB', 0, 2 ** 32],
      ['Below 16 MiB', 0, 2 ** 24],
      ['Below 1 MiB', 0, 2 ** 20],
      ...(boot.nodes.length > 1 && boot.nodes.length <= 8
        ? boot.nodes.map((node) => [
            `Node ${node.nid}`,
            node.startPfn * PAGE,
            (node.startPfn + node.spannedPages) * PAGE,
          ])
        : []),
      ...(mapEnd > ramEnd ? [['Whole map', 0, mapEnd]] : []),
    ];
    let [, from, to] = zooms[0];
    const figure = byId('map-figure');
    const lanes = [
      {
        name: 'Firmware map',
        rows: boot.firmwareMap.map((r) => ({
          start: r.start,
          end: r.end,
          label: r.kind,
          color: kindColor(r.kind),
        })),
      },
      {
        name: 'Nodes',
        rows: boot.earlyRanges.map((r) => ({
          start: r.startPfn * PAGE,
          end: r.endPfn * PAGE,
          label: `node ${r.nid}`,
          color: nodeColor(r.nid),
        })),
      },
      {
        name: 'Zones (spans, holes included)',
        rows: boot.zones
          .filter((z) => z.spannedPages > 0)
          .map((z) => ({
            start: z.startPfn * PAGE,
            end: (z.startPfn + z.spannedPages) * PAGE,
            label: `${z.name} ${z.nid}`,
            color: ZONE_COLORS[z.name] ?? '#888',
            lane: `node ${z.nid}`,
          })),
      },
    ];
    function draw() {
      figure.replaceChildren();
      for (const [index, lane] of lanes.entries()) {
        const seen = lane.rows
          .filter((row) => row.end > from && row.start < to)
          .map((row) => ({
            ...row,
            x1: Math.max(row.start, from),
            x2: Math.min(row.end, to),
            lane: row.lane ?? '',
          }));
        const last = index === lanes.length - 1;
        const wide = seen.filter((row) => (row.x2 - row.x1) / (to - from) > 0.045);
        figure.append(element('p', { class: 'lane' }, lane.name));
        figure.append(
          Plot.plot(
            base({
              height:
                (lane.rows.some((r) => r.lane)
                  ? Math.max(1, new Set(seen.map((r) => r.lane)).size) * 26
                  : 34) + (last ? 40 : 6),
              marginTop: 2,
              marginBottom: last ? 36 : 4,
              marginLeft: 60,
              marginRight: 20,
              x: {
                domain: [from, to],
                axis: last ? 'bottom' : null,
                label: 'physical address',
                ticks: tickValues(from, to),
                tickFormat: (value) => bytes(value),
              },
              y: {
                axis: lane.rows.some((r) => r.lane) ? 'left' : null,
                label: null,
                padding: 0.15,
              },
              ariaLabel: `${lane.name} from ${bytes(from)} to ${bytes(to)}`,
              marks: [
                Plot.barX(seen, {
                  x1: 'x1',
                  x2: 'x2',
                  y: 'lane',
                  fill: (d) => d.color,
                  stroke: 'var(--card)',
                  strokeWidth: 0.5,
                  channels: {
                    what: 'label',
                    range: (d) => `${hex(d.start)}-${hex(d.end - 1)}`,
                    size: (d) => bytes(d.end - d.start),
                  },
                  tip: { format: { x1: false, x2: false, x: false, y: false, fill: false } },
                }),
                Plot.text(wide, {
                  x: (d) => (d.x1 + d.x2) / 2,
                  y: 'lane',
                  text: 'label',
                  fill: 'white',
                  stroke: '#0008',
                  strokeWidth: 2.5,
                  fontWeight: 600,
                }),
              ],
            }),
          ),
        );
        if (index === 0) {
          const kinds = new Map(
            boot.firmwareMap.map((range) => [range.kind, kindColor(range.kind)]),
          );
          figure.append(swatches([...kinds]));
        }
      }
      figure.dataset.from = String(from);
      figure.dataset.to = String(to);
      for (const button of byId('map-tools').querySelectorAll('button')) {
        const [, start, end] = zooms[Number(button.dataset.zoom)];
        button.setAttribute('aria-pressed', String(start === from && end === to));
      }
    }
    function move(nextFrom, nextTo) {
      const span = Math.max(PAGE * 4, Math.min(nextTo - nextFrom, mapEnd));
      from = Math.max(0, Math.min(nextFrom, mapEnd - span));
      to = from + span;
      draw();
    }
    byId('map-tools').prepend(
      ...zooms.map(([name, start, end], index) => {
        const button = element('button', { type: 'button', 'data-zoom': String(index) }, name);
        button.addEventListener('click', () => {
          from = start;
          to = end;
          draw();
        });
        return button;
      }),
    );
    figure.addEventListener('keydown', (event) => {
      const span = to - from;
      const middle = from + span / 2;
      const actions = {
        ArrowLeft: () => move(from - span / 4, to - span / 4),
        ArrowRight: () => move(from + span / 4, to + span / 4),
        '+': () => move(middle - span / 4, middle + span / 4),
        '=': () => move(middle - span / 4, middle + span / 4),
        '-': () => move(middle - span, middle + span),
        Home: () => {
          [, from, to] = zooms[0];
          draw();
        },
      };
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    });
    draw();
    numbers(
      'map-figure',
      [
        { title: 'kind' },
        { title: 'first byte' },
        { title: 'last byte' },
        { title: 'size', number: true },
      ],
      boot.firmwareMap.map((range) => [
        range.kind,
        hex(range.start),
        hex(range.end - 1),
        bytes(range.end - range.start),
      ]),
    );
  }

  // --- zones ---------------------------------------------------------------------------------------
  function zones() {
    const rows = boot.zones
      .flatMap((zone) => {
        const name = `node ${zone.nid} ${zone.name}`;
        return [
          { name, part: 'free', pages: zone.freePages },
          { name, part: 'unaccepted', pages: zone.unacceptedPages },
          {
            name,
            part: 'in use',
            pages: Math.max(0, zone.managedPages - zone.freePages - zone.unacceptedPages),
          },
          { name, part: 'reserved', pages: Math.max(0, zone.presentPages - zone.managedPages) },
          { name, part: 'hole', pages: zone.spannedPages - zone.presentPages },
        ];
      })
      .filter((row) => row.pages > 0);
    const parts = ['free', 'unaccepted', 'in use', 'reserved', 'hole'];
    const colors = ['#59a14f', '#76b7b2', '#f28e2b', '#4e79a7', '#c9ced4'];
    const used = parts.filter((part) => rows.some((row) => row.part === part));
    byId('zones-figure').append(
      Plot.plot(
        base({
          height: boot.zones.length * 28 + 50,
          marginLeft: 120,
          x: {
            label: 'memory',
            tickFormat: (value) => bytes(value),
            grid: true,
            ticks: tickValues(0, PAGE * (d3.max(boot.zones, (zone) => zone.spannedPages) ?? 1)),
          },
          y: { label: null, domain: boot.zones.map((zone) => `node ${zone.nid} ${zone.name}`) },
          color: { domain: parts, range: colors },
          ariaLabel: 'Memory of each zone by use',
          marks: [
            Plot.barX(rows, {
              x: (d) => d.pages * PAGE,
              y: 'name',
              fill: 'part',
              order: parts,
              tip: { format: { x: (value) => bytes(value) } },
            }),
            Plot.ruleX([0]),
          ],
        }),
      ),
      swatches(used.map((part) => [part, colors[parts.indexOf(part)]])),
    );
    const columns = [
      'node',
      'zone',
      'start pfn',
      'spanned',
      'present',
      'managed',
      'free',
      'unaccepted',
      'min',
      'low',
      'high',
    ];
    const view = element(
      'div',
      { class: 'scroll', tabindex: '0', id: 'zone-table' },
      table(
        columns.map((title, index) => ({ title, number: index !== 1 })),
        boot.zones.map((z) =>
          [
            z.nid,
            z.name,
            hex(z.startPfn),
            z.spannedPages,
            z.presentPages,
            z.managedPages,
            z.freePages,
            z.unacceptedPages,
            z.min,
            z.low,
            z.high,
          ].map((v) => (typeof v === 'number' ? count(v) : v)),
        ),
      ),
    );
    byId('zones-figure').after(view);
    if (boot.holes.length > 0) {
      view.after(
        element(
          'p',
          { class: 'lane' },
          'Pages in unavailable ranges: ' +
            boot.holes
              .map((hole) => `node ${hole.nid} ${hole.zone} ${count(hole.pages)}`)
              .join(', '),
        ),
      );
    }
  }

  // --- timeline ------------------------------------------------------------------------------------
  function timeline() {
    const figure = byId('timeline-figure');
    if (boot.chunks.length === 0) {
      figure.append(
        'No page was left for the threads: this machine is small enough to be initialised early, or the mode defers nothing.',
      );
      return;
    }
    const nids = [...new Set(boot.chunks.map((chunk) => chunk.nid))].sort((a, b) => a - b);
    figure.append(
      Plot.plot(
        base({
          height: new Set(boot.chunks.map((chunk) => chunk.thread)).size * 40 + 50,
          marginLeft: 70,
          x: { label: 'ms since the start of the boot', grid: true },
          y: { label: null, tickFormat: (thread) => `thread ${thread}` },
          ariaLabel: 'Chunks of deferred initialisation by thread over time',
          marks: [
            Plot.barX(boot.chunks, {
              x1: 'startMs',
              x2: 'endMs',
              y: 'thread',
              fill: (d) => nodeColor(d.nid),
              stroke: 'var(--card)',
              strokeWidth: 0.6,
              channels: {
                node: 'nid',
                pages: (d) => count(d.endPfn - d.startPfn),
                took: (d) => milliseconds(d.endMs - d.startMs),
                from: (d) => hex(d.startPfn * PAGE),
              },
              tip: { format: { fill: false, x1: true, x2: true } },
            }),
            Plot.ruleX([boot.timing.firstAllocationMs], {
              stroke: 'var(--bad)',
              strokeDasharray: '4 3',
            }),
            Plot.text([{}], {
              x: () => boot.timing.firstAllocationMs,
              frameAnchor: 'top',
              dy: -8,
              text: () => 'first allocation',
              fill: 'var(--bad)',
            }),
          ],
        }),
      ),
      swatches(nids.map((nid) => [`node ${nid}`, nodeColor(nid)])),
    );
    numbers(
      'timeline-figure',
      ['thread', 'node', 'pages', 'start ms', 'took ms'].map((title) => ({ title, number: true })),
      boot.chunks.map((chunk) => [
        chunk.thread,
        chunk.nid,
        count(chunk.endPfn - chunk.startPfn),
        chunk.startMs.toFixed(2),
        (chunk.endMs - chunk.startMs).toFixed(2),
      ]),
    );
  }

  // --- free blocks ---------------------------------------------------------------------------------
  function freeBlocks() {
    const rows = [];
    for (const zone of boot.zones) {
      for (const [type, counts] of Object.entries(zone.freeBlocksByType)) {
        counts.forEach((blocks, order) => {
          if (blocks > 0)
            rows.push({
              zone: `node ${zone.nid} ${zone.name}`,
              type,
              order,
              blocks,
              pages: blocks * 2 ** order,
            });
        });
      }
    }
    const types = Object.keys(TYPE_COLORS).filter((type) => rows.some((row) => row.type === type));
    const names = boot.zones
      .filter((zone) => zone.freePages > 0)
      .map((zone) => `node ${zone.nid} ${zone.name}`);
    const orders = d3.range(0, d3.max(boot.zones, (zone) => zone.freeBlocks.length) ?? 11);
    // Many zones: a map of counts reads better than a column of small charts.
    if (names.length > 10) byId('blocks-figure').append(blockMap(rows, names, orders));
    else
      byId('blocks-figure').append(
        Plot.plot(
          base({
            height: Math.max(1, names.length) * 92 + 40,
            marginLeft: 60,
            marginRight: 120,
            x: { label: 'order', domain: orders, padding: 0.2 },
            y: {
              label: 'free blocks (log)',
              type: 'symlog',
              ticks: [10, 1000],
              tickFormat: 's',
              grid: true,
            },
            fy: { label: null, domain: names, padding: 0.18 },
            color: { domain: Object.keys(TYPE_COLORS), range: Object.values(TYPE_COLORS) },
            ariaLabel: 'Free blocks by order and migratetype in each zone',
            marks: [
              Plot.barY(rows, {
                x: 'order',
                y: 'blocks',
                fy: 'zone',
                fill: 'type',
                channels: { size: (d) => bytes(d.pages * PAGE) },
                tip: true,
              }),
              Plot.ruleY([0]),
            ],
          }),
        ),
        swatches(types.map((type) => [type, TYPE_COLORS[type]])),
      );
    byId('blocks-figure').after(
      element(
        'details',
        { open: '' },
        element('summary', {}, '/proc/buddyinfo'),
        element('pre', { id: 'buddyinfo', tabindex: '0' }, boot.buddyinfo),
      ),
    );
  }

  /** Free blocks of each zone and order as shades, all migratetypes together. */
  function blockMap(rows, names, orders) {
    const sums = d3.rollups(
      rows,
      (group) => d3.sum(group, (row) => row.blocks),
      (row) => row.zone,
      (row) => row.order,
    );
    const cells = sums.flatMap(([zone, byOrder]) =>
      byOrder.map(([order, blocks]) => ({ zone, order, blocks })),
    );
    return Plot.plot(
      base({
        height: names.length * 18 + 50,
        marginLeft: 120,
        x: { label: 'order', domain: orders },
        y: { label: null, domain: names },
        color: { type: 'symlog', range: ['#d3e4f2', '#1f4e79'], label: 'free blocks' },
        ariaLabel: 'Free blocks by order in each zone',
        marks: [
          Plot.cell(cells, { x: 'order', y: 'zone', fill: 'blocks', inset: 0.5, tip: true }),
          Plot.text(cells, {
            x: 'order',
            y: 'zone',
            text: (d) => count(d.blocks),
            fill: (d) => (d.blocks > 60 ? 'white' : 'black'),
            fontSize: 10,
          }),
        ],
      }),
    );
  }

  // --- unaccepted ----------------------------------------------------------------------------------
  function unaccepted() {
    const figure = byId('unaccepted-figure');
    const state = boot.unaccepted;
    if (state === undefined) {
      figure.append('This firmware map holds no unaccepted memory.');
      return;
    }
    const rows = state.timeline.map((point) => ({
      ms: point.ms,
      left: (state.totalUnits - point.acceptedUnits) * state.unitBytes,
    }));
    figure.append(
      Plot.plot(
        base({
          height: 240,
          marginLeft: 80,
          x: { label: 'ms since the start of the boot' },
          y: {
            label: 'still unaccepted',
            tickFormat: (value) => bytes(value),
            grid: true,
            zero: true,
          },
          ariaLabel: 'Unaccepted memory over time',
          marks: [
            Plot.areaY(rows, {
              x: 'ms',
              y: 'left',
              curve: 'step-after',
              fill: '#76b7b2',
              fillOpacity: 0.3,
            }),
            Plot.lineY(rows, {
              x: 'ms',
              y: 'left',
              curve: 'step-after',
              stroke: '#2f8f88',
              strokeWidth: 2,
              tip: true,
            }),
          ],
        }),
      ),
    );
    numbers(
      'unaccepted-figure',
      [
        { title: 'ms', number: true },
        { title: 'accepted units', number: true },
      ],
      state.timeline.map((point) => [point.ms.toFixed(2), count(point.acceptedUnits)]),
    );
  }

  // --- scaling -------------------------------------------------------------------------------------
  function scaling() {
    const curves = published.flatMap(({ machine, points }) => {
      const start = points.find(([threads]) => threads === 0)[1];
      return points
        .filter(([threads]) => threads > 0)
        .map(([threads, ms]) => ({ machine, threads, ms, relative: ms / start }));
    });
    const first = bench.rows.find((row) => row.threads === 1) ?? bench.rows[0];
    byId('scaling-figure').before(
      element(
        'p',
        { class: 'lane' },
        `This machine: ${bench.source}, ${count(bench.pages)} pages, ${bench.rounds} rounds.`,
      ),
    );
    const ours = bench.rows
      .filter((row) => row.threads > 0)
      .map((row) => ({
        machine: 'this machine',
        threads: row.threads,
        ms: row.definitMs.median,
        relative: row.definitMs.median / (first.definitMs.median || 1),
      }));
    const machines = [...published.map((curve) => curve.machine), 'this machine'];
    const colors = ['#8aa6c1', '#e3b27a', '#9cc491', '#c9a8bf', '#a8cfcc', '#c5aa93', 'var(--bad)'];
    byId('scaling-figure').append(
      Plot.plot(
        base({
          height: 380,
          marginLeft: 60,
          marginRight: 30,
          x: {
            type: 'log',
            base: 2,
            label: 'threads',
            tickFormat: 'd',
            ticks: [1, 2, 4, 8, 16, 32, 52],
          },
          y: {
            label: 'time of deferred initialisation, % of one thread / of no series',
            percent: true,
            grid: true,
            zero: true,
          },
          color: { domain: machines, range: colors },
          ariaLabel:
            'Time of deferred initialisation by thread count, published curves and this machine',
          marks: [
            Plot.ruleY([0]),
            Plot.line(curves, { x: 'threads', y: 'relative', stroke: 'machine', strokeWidth: 1.5 }),
            Plot.dot(curves, {
              x: 'threads',
              y: 'relative',
              fill: 'machine',
              r: 2.5,
              channels: { ms: 'ms' },
              tip: true,
            }),
            Plot.line(ours, { x: 'threads', y: 'relative', stroke: 'machine', strokeWidth: 3 }),
            Plot.dot(ours, {
              x: 'threads',
              y: 'relative',
              fill: 'machine',
              r: 5,
              channels: { ms: 'ms' },
              tip: true,
            }),
          ],
        }),
      ),
      swatches(machines.map((machine, index) => [machine, colors[index]])),
    );
    byId('scaling-figure').after(
      element(
        'div',
        { class: 'scroll', tabindex: '0' },
        table(
          [
            'threads',
            'boot ms',
            'stdev',
            'boot speed-up',
            'deferred init ms',
            'stdev',
            'speed-up',
            'of boot',
          ].map((title) => ({ title, number: true })),
          bench.rows.map((row) => [
            row.threads === 0 ? 'none (eager)' : `${row.threads} (${row.percent}%)`,
            row.bootMs.median.toFixed(1),
            row.bootMs.stdev.toFixed(1),
            row.bootSpeedup === undefined ? '–' : `${row.bootSpeedup.toFixed(1)} %`,
            row.definitMs.median.toFixed(1),
            row.definitMs.stdev.toFixed(1),
            row.definitSpeedup === undefined ? '–' : `${row.definitSpeedup.toFixed(1)} %`,
            `${(row.bootFraction * 100).toFixed(1)} %`,
          ]),
        ),
      ),
    );
  }

  // --- checks --------------------------------------------------------------------------------------
  function checks() {
    const place = byId('check-table');
    const names = { equal: 'equal', differs: 'differs', 'not derivable': 'open' };
    const body = check.facts.map((fact) => ({
      attributes: { 'data-verdict': fact.verdict },
      cells: [
        fact.fact,
        fact.subject,
        fact.kernel,
        fact.ours,
        element(
          'span',
          { class: `verdict-${names[fact.verdict]}` },
          fact.verdict + (fact.reason ? ` (${fact.reason})` : ''),
        ),
      ],
    }));
    place.append(
      table(
        ['fact', 'of', 'kernel', 'ours', 'verdict'].map((title) => ({ title })),
        body,
      ),
    );
    const tools = byId('check-tools');
    const filters = [
      ['all', check.facts.length],
      ['equal', check.equal],
      ['differs', check.differs],
      ['not derivable', check.notDerivable],
    ];
    tools.append(
      ...filters.map(([name, amount], index) => {
        const button = element(
          'button',
          { type: 'button', 'aria-pressed': String(index === 0), 'data-filter': name },
          `${name} (${amount})`,
        );
        button.addEventListener('click', () => {
          for (const other of tools.querySelectorAll('button'))
            other.setAttribute('aria-pressed', String(other === button));
          for (const row of place.querySelectorAll('tbody tr')) {
            row.classList.toggle('hidden', name !== 'all' && row.dataset.verdict !== name);
          }
        });
        return button;
      }),
    );
  }

  function theme() {
    const button = byId('theme');
    button.addEventListener('click', () => {
      const dark = document.documentElement.dataset.theme
        ? document.documentElement.dataset.theme === 'dark'
        : matchMedia('(prefers-color-scheme: dark)').matches;
      document.documentElement.dataset.theme = dark ? 'light' : 'dark';
    });
  }

  byId('title').textContent = `Memory bring-up of ${boot.source}`;
  byId('subtitle').textContent =
    `kernel ${boot.kernel}, profile ${boot.options.profile}; ${boot.options.mode}, ${boot.options.threads} thread${boot.options.threads === 1 ? '' : 's'}, acceptance ${boot.options.accept}`;
  for (const part of [
    cards,
    addressMap,
    zones,
    timeline,
    freeBlocks,
    unaccepted,
    scaling,
    checks,
    theme,
  ])
    part();
  byId('log').textContent = boot.log.join('\n');
  for (const note of boot.notes) byId('notes').append(element('li', {}, note));
  document.documentElement.dataset.ready = 'true';
})();
