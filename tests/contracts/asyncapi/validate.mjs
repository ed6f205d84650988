// Reads an AsyncAPI document on standard input; prints what the parser has to say of it, and its ids, as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Parser } = createRequire(import.meta.url)('@asyncapi/parser');
const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'));
const ids = (collection) => collection.all().map((each) => each.id());
console.log(
  JSON.stringify({
    diagnostics,
    channels: document ? ids(document.channels()) : [],
    operations: document ? ids(document.operations()) : [],
    messages: document ? ids(document.components().messages()) : [],
  }),
);
