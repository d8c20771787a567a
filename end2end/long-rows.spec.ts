// Files whose rows are long, parts as large as they may be, and requests that are too large.
import { MODEL, choose, expectCounts, file, giveModel, open, openRegister, save, saveTokens, status } from './support/portal.ts';
import { call, endpoints, postcardBytes } from './support/server-functions.ts';
import { expect, test } from './support/test.ts';

const PART_BYTES = 2 * 1024 * 1024;

/** A row of so many bytes with its line end: a long description, of letters of two bytes where one is not enough, or in quotes. */
function rowOf(bytes: number, at: number, isQuoted: boolean): string {
  const start = `D${at},${MODEL},Machine ${at},`;
  const [open, filler] = isQuoted ? ['"a, ""b""', '""'] : ['', bytes > 1_000 ? 'é' : 'x'];
  const end = `${isQuoted ? '"' : ''},Small\n`;
  const left = bytes - Buffer.byteLength(start + open + end);
  const filled = filler.repeat(Math.floor(left / Buffer.byteLength(filler)));
  return start + open + filled + 'y'.repeat(left - Buffer.byteLength(filled)) + end;
}

for (const bytes of [250, 500, 1_000, 2_000]) {
  for (const isQuoted of [false, true]) {
    test(`rows of ${bytes} bytes${isQuoted ? ' with quotes' : ''} are registered, all of them`, async ({ portal, muster }) => {
      await giveModel(portal, muster);
      await open(portal, '/devices');
      const rows = Math.floor((2.3 * PART_BYTES) / bytes);
      const text = Array.from({ length: rows }, (_, at) => rowOf(bytes, at, isQuoted)).join('');
      expect(Buffer.byteLength(text)).toBe(rows * bytes);
      const dialog = await openRegister(portal);
      await choose(portal, file('long.csv', text));
      await expect(dialog).toContainText('no problems');
      await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
      await expectCounts(portal, rows.toLocaleString('en'), '0', '0');
      expect((await saveTokens(portal)).size).toBe(rows);
    });
  }
}

test('rows of 60,000 bytes, most of them in a column that is ignored', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const rows = Array.from({ length: 100 }, (_, at) => `D${at},${MODEL},"${'x""y'.repeat(15_000)}"\n`).join('');
  const dialog = await openRegister(portal);
  await choose(portal, file('wide.csv', `Device name,Model name,Error\n${rows}`));
  await expect(dialog).toContainText('no problems');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '100', '0', '0');
});

test('a part of the longest names is answered with all its tokens', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const names = Array.from({ length: 10_000 }, (_, at) => String(at).padStart(128, 'n'));
  const sizes: number[] = [];
  portal.on('response', async (answer) => {
    if (answer.url().endsWith('/fn/register-part')) sizes.push((await answer.body()).length);
  });
  const dialog = await openRegister(portal);
  await choose(portal, file('names.csv', names.map((name) => `${name},${MODEL}\n`).join('')));
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '10,000', '0', '0');
  const saved = await saveTokens(portal);
  expect([...saved.keys()]).toEqual(names);
  await expect.poll(() => sizes.length).toBe(1);
  // A name, a token of 76 letters, a comma and a line end, and some numbers.
  expect(sizes[0]).toBeLessThan(10_000 * (128 + 76 + 3) + 100);
});

function varint(number: number): Buffer {
  const bytes = [];
  for (; number > 0x7f; number = Math.floor(number / 0x80)) bytes.push((number & 0x7f) | 0x80);
  return Buffer.from([...bytes, number]);
}

/** A part as the page sends it: comma-separated, the five fields in their order, no header, no field missing. */
function part(registration: string, number: number, bytes: Buffer): Buffer {
  const id = Buffer.from(registration.replaceAll('-', ''), 'hex');
  const layout = Buffer.from([0, 5, 1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 0]);
  return Buffer.concat([varint(16), id, varint(number), varint(1), Buffer.from([0]), layout, varint(0), varint(1), postcardBytes(bytes)]);
}

test('a part of the largest size is registered; a larger one is refused with a sentence', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const begun = await call(portal.request, muster.url, 'begin-registration', { file_name: 'x.csv', devices: 9, parts: 9, group: null });
  const id = /[0-9a-f-]{36}/.exec((await begun.body()).toString('latin1'))?.[0] ?? (await begun.body()).subarray(1).toString('hex');
  const rows = Array.from({ length: PART_BYTES / 1024 }, (_, at) => rowOf(1024, at, false)).join('');
  const largest = await call(portal.request, muster.url, 'register-part', part(id, 0, Buffer.from(rows)));
  expect(largest.status(), await largest.text()).toBe(200);
  const counted = await call(portal.request, muster.url, 'count-devices', { filter: { search: null, status: null, model: null, tier: null, groups: [], never_seen: false, registration: null } });
  expect((await counted.text()).includes('2048') || (await counted.body()).equals(varint(2048))).toBe(true);

  const larger = await call(portal.request, muster.url, 'register-part', part(id, 1, Buffer.from(`${rows}\n`)));
  expect(larger.status()).toBe(422);
  expect(await larger.text()).toContain('A part of a file is larger than 2 MiB');
  const tooLarge = await call(portal.request, muster.url, 'register-part', part(id, 1, Buffer.alloc(PART_BYTES + 5_000, '\n')));
  expect(tooLarge.status()).toBe(413);
  expect(await tooLarge.json()).toEqual({ Refused: expect.stringContaining('too large') });
});

test('every server function refuses a body that is too large', async ({ portal, muster }) => {
  const body = Buffer.alloc(3_500_000, ' ');
  for (const endpoint of endpoints()) {
    const answer = await call(portal.request, muster.url, endpoint, body);
    expect([endpoint, answer.status()]).toEqual([endpoint, 413]);
  }
});

test('as many names as one call takes are accepted', async ({ portal, muster }) => {
  const names = Array.from({ length: 10_000 }, (_, at) => String(at).padStart(128, 'n'));
  const filter = { search: null, status: null, model: null, tier: null, groups: [], never_seen: false, registration: null };
  const named = await call(portal.request, muster.url, 'change-devices', { targets: { Named: names }, change: 'Disable' });
  expect(named.status(), await named.text()).toBe(200);
  const groups = Array.from({ length: 1_000 }, (_, at) => `${'🚀'.repeat(120)}${at}`);
  const matching = { Matching: { filter: { ...filter, groups }, registered_by: 0, except: names, after: null } };
  const exported = await call(portal.request, muster.url, 'export-devices', { targets: matching });
  expect(exported.status(), await exported.text()).toBe(200);
});

test('a part that the server refuses is sent once, and its rows fail with the reason', async ({ portal, muster, guard }) => {
  guard.expect(/Failed to load resource/);
  await giveModel(portal, muster);
  await open(portal, '/devices');
  let sent = 0;
  const failure = { Refused: 'This request is too large: at most 7 bytes are accepted.' };
  await portal.route('**/fn/register-part', (route) => {
    sent += 1;
    return route.fulfill({ status: 413, json: failure });
  });
  const dialog = await openRegister(portal);
  await choose(portal, file('two.csv', `a,${MODEL}\nb,${MODEL}\n`));
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '0', '2', '0');
  const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
  expect(errors.text.split('\r\n').slice(1, -1)).toEqual([`a,${MODEL},,,,1,${failure.Refused}`, `b,${MODEL},,,,2,${failure.Refused}`]);
  expect(sent).toBe(1);
});
