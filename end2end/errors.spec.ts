// What fails, and how an operator gets on from there.
import type { Page } from '@playwright/test';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bigFile } from './support/bad-files.ts';
import { drop } from './support/drop.ts';
import { Held } from './support/many.ts';
import { MODEL, MODEL_NOT_FOUND, SEED_FILE, choose, expectCounts, file, giveModel, open, openRegister, register, row, save, saveTokens, status, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

// A spreadsheet needs the byte order mark, to show `Zürich`.
const HEADER = '\ufeffDevice name,Model name,Device friendly name,Description,Pricing tier,Line,Error';

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-errors-'));
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a model nobody uploaded: pointed out, uploaded all the same, corrected in errors.csv', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const misspelt = 'Contoso.Aircraft.AircraftModle';
  const rows = ['Good1,Contoso.Aircraft.AircraftModel', `Jet2,${misspelt},"=cmd|' /C calc'!A0",“Quoted” and 🚀,Large`, `Jet3,${misspelt},"Comma, and ""quote"""`];
  await choose(portal, file('fleet.csv', rows.join('\n')));
  await expect(dialog).toContainText('This model is not in your account yet');
  await expect(dialog.getByText('Did you mean')).toContainText(`${misspelt}: 2 devices. Did you mean ${MODEL}?`);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '1', '2', '0');

  const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
  expect(errors.name).toBe('errors.csv');
  expect(errors.text).toBe(
    [
      HEADER,
      `Jet2,${misspelt},'=cmd|' /C calc'!A0,“Quoted” and 🚀,Large,2,${MODEL_NOT_FOUND}`,
      `Jet3,${misspelt},"Comma, and ""quote""",,,3,${MODEL_NOT_FOUND}`,
      '',
    ].join('\r\n'),
  );
  await saveTokens(portal);
  await portal.keyboard.press('Escape');

  // It is kept, and the same from there.
  await open(portal, '/registrations');
  const later = await save(portal, portal.getByRole('button', { name: 'errors.csv' }));
  expect(later.text).toBe(errors.text);

  // Corrected, and uploaded as it is.
  await open(portal, '/devices');
  await register(portal, file('errors.csv', errors.text.replaceAll(misspelt, MODEL)));
  await expectCounts(portal, '2', '0', '0');
  const saved = await saveTokens(portal);
  expect([...saved.keys()]).toEqual(['Jet2', 'Jet3']);
  await portal.keyboard.press('Escape');
  await expect(row(portal, 'Jet2')).toContainText(`=cmd|' /C calc'!A0`);
  await expect(row(portal, 'Jet2')).not.toContainText(`'=cmd`);
  await expect(row(portal, 'Jet2')).toContainText('Large');
  await expect(row(portal, 'Jet3')).toContainText('Comma, and "quote"');
});

test('an account without any model has no nearest name', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('devices.csv', SEED_FILE));
  await expect(dialog).toContainText('This model is not in your account yet');
  await expect(dialog).not.toContainText('Did you mean');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '0', '2', '0');
  await expect(status(portal).getByRole('button', { name: 'Save', exact: true })).toBeHidden();
});

test('a name that is taken by a device with another field', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await giveModel(portal, muster, 'Contoso.Other');
  const first = `AutoRegister41,${MODEL},1st EM.Concorde Jet,The 1st Concorder Flight`;
  const changed = [
    `AutoRegister41,Contoso.Other,1st EM.Concorde Jet,The 1st Concorder Flight,Small`,
    `AutoRegister42,${MODEL},Another name,Jet No.009,ExtraSmall`,
  ];
  const cases = [
    [changed[0], 'model name'],
    [changed[1], 'device friendly name'],
    [`AutoRegister41,${MODEL},1st EM.Concorde Jet,Another description,Small`, 'description'],
    [`${first},Large`, 'pricing tier'],
  ];
  for (const [line, field] of cases) {
    await register(portal, file('again.csv', line));
    await expectCounts(portal, '0', '1', '0');
    const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
    const sentence = errors.text.split('\r\n')[1].split(',').at(-1)!;
    expect(sentence).toBe(`A device with this name is already registered with a different ${field}`);
    await status(portal).getByRole('button', { name: 'Done' }).click();
  }
  // A blank tier agrees with any.
  await register(portal, file('again.csv', first));
  await expectCounts(portal, '0', '0', '1');
});

test('closing before Save asks, and lost tokens are generated again', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '2', '0', '0');

  const question = status(portal).getByText('Close anyway?');
  for (const close of [() => portal.keyboard.press('Escape'), () => status(portal).getByRole('button', { name: 'Close', exact: true }).click(), () => status(portal).getByRole('button', { name: 'Done' }).click()]) {
    await close();
    await expect(question).toBeVisible();
    await status(portal).getByRole('button', { name: 'Go back' }).click();
    await expect(question).toBeHidden();
  }
  // The browser asks, too, where the tab is left.
  portal.once('dialog', (asked) => {
    expect(asked.type()).toBe('beforeunload');
    void asked.dismiss();
  });
  await portal.close({ runBeforeUnload: true });
  await expect(status(portal)).toBeVisible();

  await portal.keyboard.press('Escape');
  await status(portal).getByRole('button', { name: 'Close without saving' }).click();
  await expect(status(portal)).toBeHidden();

  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '0', '0', '2');
  await expect(status(portal)).toContainText('2 devices were registered before and never connected');
  await status(portal).getByRole('button', { name: 'Generate tokens' }).click();
  const saved = await saveTokens(portal);
  expect([...saved.keys()]).toEqual(['AutoRegister41', 'AutoRegister42']);
  for (const token of saved.values()) expect((await muster.sendState(token)).status).toBe(204);

  // A device that has connected is left alone.
  await status(portal).getByRole('button', { name: 'Done' }).click();
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '0', '0', '2');
  await expect(status(portal).getByRole('button', { name: 'Generate tokens' })).toBeHidden();
});

test('a file dropped anywhere on the page is checked immediately', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const path = join(folder, 'dropped.csv');
  writeFileSync(path, SEED_FILE);
  await open(portal, '/devices');
  await drop(portal, portal.locator('main'), [path]);
  const dialog = portal.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toContainText('dropped.csv: 2 devices, no problems');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '2', '0', '0');
});

test('a file that is dropped outside a drop zone does not navigate', async ({ portal }) => {
  const path = join(folder, 'stray.csv');
  writeFileSync(path, SEED_FILE);
  for (const page of ['/devices', '/models', '/groups', '/registrations', '/settings']) {
    await open(portal, page);
    await drop(portal, portal.locator('main'), [path]);
    await expect(portal).toHaveURL(new RegExp(`${page}$`));
  }
});

test('a device group that the devices join', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('devices.csv', SEED_FILE));
  await dialog.getByLabel('Device group (optional)').fill('Paris');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '2', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await portal.getByRole('link', { name: 'Device groups' }).click();
  await expect(portal.getByRole('grid', { name: 'Device groups' }).getByRole('row', { name: 'Paris' })).toContainText('2 devices');
});

test('a file that is changed on disk while it is read', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  const path = join(folder, 'changing.csv');
  bigFile(path, 240e6, '');
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, path);
  await expect(dialog).toContainText(/Checking changing\.csv: [1-9]/);
  truncateSync(path, 1000);
  utimesSync(path, 1, 1);
  await expect(dialog).toContainText('The file was changed, moved or removed while it was being read. Choose it again.');
  await expect(dialog.getByRole('button', { name: 'Upload', exact: true })).toBeDisabled();
  writeFileSync(path, SEED_FILE);
  await choose(portal, path);
  await expect(dialog).toContainText('2 devices, no problems');
});

/** Rows that failed since the file is not what was checked: each of its rows, and nothing else. */
async function expectChanged(portal: Page, names: string[]): Promise<void> {
  await expect(status(portal).getByRole('alert').filter({ hasText: 'after it was checked. Choose it again.' })).toBeVisible();
  const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
  const rows = errors.text.split('\r\n').slice(1, -1);
  expect(rows.map((line) => line.slice(0, line.indexOf(',')))).toEqual(names);
  // One assertion for up to 30,000 rows: each is a step in the trace, and they took three minutes.
  const explained = /,\d+,"?The file (was )?changed.* after it was checked\. Choose it again\."?$/;
  expect(rows.filter((line) => !explained.test(line)).slice(0, 5), 'rows with another reason').toEqual([]);
}

const changes: [string, (path: string) => void][] = [
  ['is changed', (path) => (writeFileSync(path, `Other,${MODEL}\n`), utimesSync(path, 1, 1))],
  ['is shortened', (path) => truncateSync(path, 40)],
  ['is emptied', (path) => truncateSync(path, 0)],
  ['is deleted', (path) => rmSync(path)],
  ['grows at its beginning', (path) => writeFileSync(path, `New,${MODEL}\n${SEED_FILE}`)],
  ['is replaced by other rows', (path) => writeFileSync(path, SEED_FILE.replaceAll('AutoRegister', 'AutoRegistry'))],
  ['is replaced by rows of the same size, at the same time', (path) => {
    const { atime, mtime } = statSync(path);
    writeFileSync(path, SEED_FILE.replace('Register41', 'Register43'));
    utimesSync(path, atime, mtime);
  }],
];
for (const [what, change] of changes) {
  test(`a file that ${what} after its check: all its rows fail`, async ({ portal, muster }) => {
    await giveModel(portal, muster);
    const path = join(folder, `${what.replaceAll(/\W/g, '-')}.csv`);
    writeFileSync(path, SEED_FILE);
    await open(portal, '/devices');
    const dialog = await openRegister(portal);
    await choose(portal, path);
    await expect(dialog).toContainText('2 devices, no problems');
    change(path);
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
    await expectCounts(portal, '0', '2', '0');
    await expectChanged(portal, ['AutoRegister41', 'AutoRegister42']);
    await status(portal).getByRole('button', { name: 'Done' }).click();
    await expect(portal.getByText('0 devices', { exact: true })).toBeVisible();
  });
}

test('a file that is changed in the middle of its upload: what was sent is registered, and the rest fails', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const path = join(folder, 'half.csv');
  const names = Array.from({ length: 90_000 }, (_, at) => `D${at}`);
  writeFileSync(path, names.map((name) => `${name},${MODEL}\n`).join(''));
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, path);
  await expect(dialog).toContainText('90,000 devices, no problems');
  const held = await Held.from(portal, 'register-part', 1);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  // Six parts are under way; the others are not read yet.
  await expect.poll(() => held.calls).toBe(6);
  writeFileSync(path, names.map((name) => `${name},${MODEL}X\n`).join(''));
  utimesSync(path, 1, 1);
  await held.go();
  await expectCounts(portal, '60,000', '30,000', '0');
  expect((await saveTokens(portal)).size).toBe(60_000);
  await expectChanged(portal, names.slice(60_000));
});

test('a large file that is changed after its check: its lines fail', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  const path = join(folder, 'large.csv');
  bigFile(path, 40e6, '');
  const rows = readFileSync(path, 'utf8').split('\n').length - 1;
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, path);
  await expect(dialog).toContainText('no problems');
  truncateSync(path, 1_000);
  utimesSync(path, 1, 1);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '0', rows.toLocaleString('en'), '0');
  const errors = await save(portal, status(portal).getByRole('button', { name: 'errors.csv' }));
  const lines = errors.text.split('\r\n').slice(1, -1);
  expect(lines.length).toBe(rows);
  expect([lines[0], lines.at(-1)]).toEqual([1, rows].map((line) => `,,,,,${line},"The file was changed, moved or removed after it was checked. Choose it again."`));
});

test('a group that no device joined is not created', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  const inGroup = async (text: string) => {
    const dialog = await openRegister(portal);
    await choose(portal, file('devices.csv', text));
    await dialog.getByLabel('Device group (optional)').fill('Paris');
    await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  };
  await open(portal, '/devices');
  await inGroup('a,No.Such.Model\nb,No.Such.Model\n');
  await expectCounts(portal, '0', '2', '0');
  await status(portal).getByRole('button', { name: 'Done' }).click();
  await portal.getByRole('link', { name: 'Device groups' }).click();
  await expect(portal.getByRole('heading', { name: 'Device groups', exact: true })).toBeVisible();
  await expect(portal.getByText('Paris')).toBeHidden();

  // Registered without a group; then the same file with one, with names and models only, by a header and without.
  await open(portal, '/devices');
  await register(portal, file('devices.csv', SEED_FILE));
  await expectCounts(portal, '2', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  const rows = SEED_FILE.split('\n').slice(0, 2).map((line) => line.split(',').slice(0, 2).join(','));
  for (const text of [`Device name,Model name\n${rows.join('\n')}\n`, `${rows.join('\n')}\n`]) {
    await inGroup(text);
    await expectCounts(portal, '0', '0', '2');
    await status(portal).getByRole('button', { name: 'Done' }).click();
  }
  await portal.getByRole('link', { name: 'Device groups' }).click();
  await expect(portal.getByRole('grid', { name: 'Device groups' }).getByRole('row', { name: 'Paris' })).toContainText('2 devices');
});

test('what is not a model definition is refused with what is wrong and where', async ({ portal }) => {
  await open(portal, '/models');
  const input = portal.getByLabel('Model definition file');
  const said = portal.locator('main');
  const cases: [string, RegExp[]][] = [
    ['{"title": ', [/Can't use model\.json: 1 problem\. Nothing was changed\./, /line 1|1:/i]],
    ['[]', [/must be a JSON object/]],
    ['{"@context":"https://www.w3.org/2022/wot/td/v1.1","@type":"tm:ThingModel"}', [/title/]],
    ['{"@context":"https://www.w3.org/2022/wot/td/v1.1","@type":"tm:ThingModel","title":"A.B","properties":{"p":{"type":"colour"}}}', [/\/properties\/p/]],
  ];
  for (const [content, says] of cases) {
    await input.setInputFiles({ name: 'model.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    for (const sentence of says) await expect(said).toContainText(sentence);
    await expect(portal.getByRole('heading', { name: 'Upload the first model' })).toBeVisible();
  }
});

test('a model that devices use cannot be deleted; one that none uses can', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await giveModel(portal, muster, 'Contoso.Unused');
  await portal.getByRole('link', { name: 'Models', exact: true }).click();
  await expect(portal.getByRole('button', { name: `Delete ${MODEL}` })).toBeDisabled();
  await portal.getByRole('button', { name: 'Delete Contoso.Unused' }).click();
  await portal.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(portal.getByText('Deleted Contoso.Unused.')).toBeVisible();
  await expect(portal.getByRole('grid', { name: 'Models' }).getByRole('row')).toHaveCount(2);
});
