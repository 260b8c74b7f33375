// Ordered jobs and a range job on real threads of an installed package.
const jobs = `data:text/javascript,${encodeURIComponent(`
  export const twice = (value) => 2 * value;
  export const fill = (start, end, { words }) => { for (let i = start; i < end; i += 1) words[i] = i; };
`)}`;

export default async (api, assert) => {
  const pool = api.createWorkPool({ threads: 2 });
  try {
    const results = [];
    const input = Array.from({ length: 300 }, (_, i) => i);
    for await (const result of api.orderedMap(
      pool,
      input,
      { module: jobs, name: 'twice' },
      { window: 32 },
    )) {
      results.push(result);
    }
    assert.deepEqual(
      results,
      input.map((value) => 2 * value),
    );

    const words = new Int32Array(new SharedArrayBuffer(4 * 100_000));
    const { chunks } = await pool.runMultithreaded({
      threadFn: { module: jobs, name: 'fill' },
      arg: { words },
      start: 0,
      size: words.length,
      minChunk: 1000,
    });
    assert.ok(chunks > 1);
    assert.ok(words.every((word, i) => word === i));
  } finally {
    await pool.close();
  }
};
