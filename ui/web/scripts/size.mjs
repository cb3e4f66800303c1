// Budgets of the build, gzip bytes of JavaScript: what the home page loads, and each lazy chunk.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const HOME = 230_000;
const VIEWER = 330_000;
const OTHER = 60_000;

const root = fileURLToPath(new URL('../../static/', import.meta.url));
const html = readFileSync(`${root}index.html`, 'utf8');
const size = (name) => gzipSync(readFileSync(`${root}assets/${name}`)).length;
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

const scripts = readdirSync(`${root}assets`).filter((name) => name.endsWith('.js'));
const home = scripts.filter((name) => html.includes(name));
const rows = [['home', home.reduce((sum, name) => sum + size(name), 0), HOME]];
for (const name of scripts.filter((one) => !home.includes(one))) {
  rows.push([name, size(name), name.startsWith('niivue') ? VIEWER : OTHER]);
}

let over = false;
for (const [name, bytes, budget] of rows) {
  const fits = bytes <= budget;
  over ||= !fits;
  console.log(`${fits ? 'ok  ' : 'OVER'} ${name}: ${kB(bytes)} of ${kB(budget)}`);
}
if (home.length === 0) {
  console.error('index.html names no script: run `npm run build` first.');
  over = true;
}
process.exit(over ? 1 : 0);
