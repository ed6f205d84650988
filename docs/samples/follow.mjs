// Reads every published table by HTTP, and prints those of a measure: node follow.mjs http://127.0.0.1:8005 waiting
// Kept beside the answer, its ETag tells the next time whether anything changed: 304 says no.
const [, , server, measure] = process.argv;
const kept = new Map();

async function read(path) {
  const known = kept.get(path);
  const answer = await fetch(server + path, { headers: known ? { "If-None-Match": known.etag } : {} });
  if (answer.status === 304) return known.body;
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  kept.set(path, { etag: answer.headers.get("etag"), body });
  return body;
}

for (let after = ""; after !== null; ) {
  const page = await read(`/v1/metrics?measure=${measure}&after=${encodeURIComponent(after)}`);
  for (const table of page.metrics)
    for (const cell of table.cells) console.log(table.name, ...cell.codes, cell.hidden ?? cell.value);
  after = page.next;
}
