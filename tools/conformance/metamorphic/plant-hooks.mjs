// The hook of plant-register.mjs, in the thread where modules are loaded.
let plant;

export function initialize(data) {
  plant = data;
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.split('?')[0].endsWith(plant.file)) return loaded;
  const text = String(
    typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source),
  );
  if (!text.includes(plant.from)) throw new Error(`${plant.file} does not hold "${plant.from}"`);
  return { ...loaded, source: text.replace(plant.from, () => plant.to) };
}
