// What bad input gets: a clear sentence, nothing uploaded, and a page that lives on.
import type { Page } from '@playwright/test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bigFile, millionRows, workbook } from './support/bad-files.ts';
import { drop } from './support/drop.ts';
import { MODEL, SEED_FILE, choose, file, giveModel, open, openRegister } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** One file, and what a person is told about it. */
type Bad = { what: string; content: string | Buffer | ((path: string) => void); says: RegExp[]; name?: string };

const row = (name: string, rest = '') => `${name},${MODEL}${rest}\n`;
const second = (bad: string) => row('Good1') + bad;

const BAD: Bad[] = [
  { what: 'an Excel workbook renamed .csv', content: workbook(), says: [/spreadsheet workbook, not a text file/, /CSV UTF-8/] },
  { what: 'UTF-16', content: Buffer.from(`\ufeff${SEED_FILE}`, 'utf16le'), says: [/UTF-16/, /Save it again as UTF-8/] },
  { what: 'UTF-16 without its mark', content: Buffer.from(SEED_FILE, 'utf16le'), says: [/UTF-16/] },
  { what: 'Latin-1', content: Buffer.from(row('Good1', ',Zürich'), 'latin1'), says: [/not UTF-8/, /Latin-1/, /`ü`/] },
  { what: 'a NUL', content: second(row('A\0B')), says: [/NUL byte/] },
  { what: '0 bytes', content: '', says: [/The file is empty/] },
  { what: 'nothing but blank lines', content: '\r\n\n  \n', says: [/The file is empty/] },
  { what: 'a header and nothing else', content: 'Device name,Model name\n', says: [/header, but no devices/] },
  { what: 'a header without a required column', content: 'Device name,Description\nA,B\n', says: [/no column `Model name`/] },
  { what: 'a name with a space', content: second(row('My device')), says: [/`My device` isn't a valid device name/] },
  { what: 'a name with quotes in it', content: second(row('"My ""device"""')), says: [/`My "device"` isn't a valid device name/] },
  { what: 'a formula for a name', content: second(row("=cmd|' /C calc'!A0")), says: [/isn't a valid device name/, /cannot contain `=`/] },
  { what: 'an emoji in a name', content: second(row('Jet🚀')), says: [/`Jet🚀` isn't a valid device name/] },
  { what: 'markup for a name', content: second(row('<img src=x onerror=alert(1)>')), says: [/`<img src=x onerror=alert\(1\)>` isn't a valid device name/] },
  { what: 'the tier small', content: second(row('Good2', ',,,small')), says: [/`small` is not a pricing tier/, /Did you mean Small\?/] },
  { what: 'six fields', content: second(row('Good2', ',a,b,Small,c')), says: [/The row has 6 fields, and at most 5 are allowed/, /Line 2, column \d+: c/] },
  { what: 'a column three times', content: 'Device name,Model name,Model name,Model name\nA,B,C,D\n', says: [/`Model name` more than once/, /2 columns/] },
  { what: 'one field', content: second('Good2\n'), says: [/model name is missing/] },
  { what: 'no device name', content: second(`,${MODEL}\n`), says: [/device name is missing/] },
  { what: 'the same name twice', content: row('Twin') + row('Good2') + row('Twin'), says: [/`Twin` is already used in line 1/] },
  { what: 'a model name that cannot be', content: second('Good2,Contoso..Model\n'), says: [/`Contoso..Model` isn't a valid model name/] },
  { what: 'an unclosed quote at the end of 10 MB', content: (path) => bigFile(path, 10e6, row('Unclosed', ',"no end')), says: [/quote is never closed/] },
  { what: 'one line of 200 MB', content: (path) => writeFileSync(path, Buffer.alloc(200e6, 'x')), says: [/longer than 64 KiB/, /line ends were lost/] },
  { what: 'more than 256 MiB', content: (path) => bigFile(path, 257 * 1024 * 1024, ''), says: [/larger than 256 MiB/, /Split it/] },
  { what: '1,000,001 rows', content: (path) => millionRows(path, 1_000_001), says: [/more than 1,000,000 rows/, /Split it/] },
];

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-files-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const { what, content, says, name = 'fleet.csv' } of BAD) {
  test(`a file with ${what}`, async ({ portal, muster }) => {
    test.slow(typeof content === 'function');
    await giveModel(portal, muster);
    await open(portal, '/devices');
    const dialog = await openRegister(portal);
    const sent: string[] = [];
    portal.on('request', (request) => sent.push(request.url()));
    const isLarge = typeof content === 'function';
    const own = isLarge ? await checkingItself(portal) : Infinity;
    const longestPause = await watchFrames(portal);
    const path = join(folder, `${what.replace(/\W+/g, '-')}.csv`);
    if (typeof content === 'function') content(path);
    await choose(portal, typeof content === 'function' ? path : file(name, content));

    const upload = dialog.getByRole('button', { name: 'Upload', exact: true });
    for (const sentence of says) await expect(dialog).toContainText(sentence);
    await expect(upload).toBeDisabled();
    await expect(upload).toHaveAccessibleDescription(what === 'a header without a required column' ? /Map the columns/ : /Fix these in the file|Choose a registration file/);
    expect(await longestPause(), 'milliseconds that the page stood still').toBeLessThan(own);
    expect(sent.filter((url) => /registration|part/.test(url))).toEqual([]);

    // Another file, and all is well.
    await choose(portal, file('devices.csv', SEED_FILE));
    await expect(dialog).toContainText('2 devices, no problems');
    await expect(upload).toBeEnabled();
  });
}

test('a million rows are checked while the page stays live', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  const path = join(folder, 'million.csv');
  millionRows(path, 1_000_000);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const own = await checkingItself(portal);
  const longestPause = await watchFrames(portal);
  await choose(portal, path);
  await expect(dialog).toContainText('1,000,000 devices, no problems');
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toBeEnabled();
  expect(await longestPause(), 'milliseconds that the page stood still').toBeLessThan(own);
});

test('412 rows with one misspelt tier are one thing to mend', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const rows = Array.from({ length: 412 }, (_, at) => row(`D${at}`, ',,,Smal')).join('');
  await choose(portal, file('fleet.csv', rows));
  const problems = dialog.getByRole('list', { name: 'Problems' }).getByRole('listitem');
  await expect(problems).toHaveCount(1);
  await expect(problems).toContainText('`Smal` is not a pricing tier. Did you mean Small?');
  await expect(problems).toContainText('412 rows');
});

test('a file separated by semicolons is read, and the dialog says so', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('fleet.csv', `A1;${MODEL};Jet, large\nA2;${MODEL}\n`));
  await expect(dialog).toContainText('2 devices, no problems');
  await expect(dialog).toContainText('Semicolon-separated file detected.');
});

test('a folder dropped on the page', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const dropped = join(folder, 'a folder');
  mkdirSync(dropped, { recursive: true });
  await open(portal, '/devices');
  await drop(portal, portal.locator('main'), [dropped]);
  const dialog = portal.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toContainText('That is a folder. Drop one registration file.');
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toBeDisabled();
  await choose(portal, file('devices.csv', SEED_FILE));
  await expect(dialog).toContainText('2 devices, no problems');
});

test('two files dropped, and then one', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const paths = ['one.csv', 'two.csv'].map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, SEED_FILE);
  await open(portal, '/devices');
  await drop(portal, portal.locator('main'), paths);
  const dialog = portal.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toContainText('2 files were dropped. Drop one registration file at a time.');
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toBeDisabled();
  await drop(portal, dialog.getByText('Drop a registration file here'), paths.slice(0, 1));
  await expect(dialog).toContainText('one.csv: 2 devices, no problems');
});

/** How long a page would stand still that looked at the names of a million rows itself, in milliseconds of this machine. */
async function checkingItself(page: Page): Promise<number> {
  return page.evaluate(() => {
    const begun = performance.now();
    const names = new Set<string>();
    for (let at = 0; at < 1_000_000; at++) names.add(`D${at},Contoso.Aircraft.AircraftModel`.split(',')[0]);
    return performance.now() - begun;
  });
}

/** Watches from now on how long the page stands still; the answer is in milliseconds. */
async function watchFrames(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const state = { last: performance.now(), longest: 0 };
    Object.assign(window, { frames_: state });
    setInterval(() => {
      const now = performance.now();
      state.longest = Math.max(state.longest, now - state.last);
      state.last = now;
    }, 10);
  });
  return () => page.evaluate(() => (window as unknown as { frames_: { longest: number } }).frames_.longest);
}
