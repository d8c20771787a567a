// Files as spreadsheets, exports and other portals write them: what the dialog says about each, and that it agrees with
// `muster check`.
import type { Locator, Page } from '@playwright/test';
import { basename } from 'node:path';
import { expectNoViolations } from './support/axe.ts';
import { caseFiles, casePath, checkOnCommandLine } from './support/cases.ts';
import { MODEL, choose, expectCounts, file, giveModel, open, openRegister, register, row, saveTokens, status } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** What the dialog shows for a file: a clean one can be uploaded, any other has problems. */
type Expected = {
  /** How many devices a file without problems has. */
  devices?: number;
  problems?: number;
  /** How many items the list of problems has; 1 if nothing else is said. */
  causes?: number;
  warnings?: number;
  /** Sentences of the dialog. */
  shows?: (string | RegExp)[];
  /** The problem is the whole file's: one sentence, without a table of places. */
  isWhole?: boolean;
  button?: string;
};

// By the beginning of the file's name.
const CASES: Record<string, Expected> = {
  '01': { devices: 2 },
  '02a': { devices: 2 },
  '02c': { devices: 2 },
  '03a': { problems: 1, shows: ['looks like a header'], isWhole: true, button: 'Check again' },
  '03c': { problems: 1, shows: ['looks like a header', 'Semicolon-separated file detected.'], isWhole: true, button: 'Check again' },
  '04': { problems: 1, shows: ['`No.`, `Serial`, `Batch` and `Delivered`'], button: 'Ignore these columns' },
  '05a': { problems: 1, shows: [/quoted as a whole/], isWhole: true },
  '06': { problems: 3, shows: [/do not comment out a row/] },
  '07a': { problems: 3, shows: [/spreadsheet rounded/] },
  '08': { devices: 5 },
  '09a': { devices: 2, shows: ['0012345'] },
  '10a': { devices: 1 },
  '10d': { devices: 2 },
  '11b': { devices: 1 },
  '11d': { problems: 2, causes: 2, shows: [/Cyrillic/, /U\+04/] },
  '12b': { problems: 2, shows: [/quotes/] },
  '13': { problems: 1, shows: [/not UTF-8/] },
  '14b': { devices: 1, warnings: 2, shows: [/encoded twice/] },
  '14c': { devices: 1, warnings: 2, shows: [/lost characters/] },
  '17': { devices: 2 },
  '18b': { problems: 3, causes: 2, shows: [/Write a quote inside a quoted field twice/] },
  '19a': { problems: 2, shows: [/Write a quote inside a quoted field twice/] },
  '20': { problems: 1, warnings: 1, shows: [/cannot contain/] },
  '21': { devices: 2, warnings: 1, shows: [/only in letter case/] },
  '22a': { problems: 1, shows: [/separated by `\|`/], isWhole: true },
  '23a': { problems: 1, shows: ['The header is in line 3.'], isWhole: true },
  '25': { problems: 2, shows: [/the header names only 2 columns/, 'Tab-separated file detected.'] },
  '28': { devices: 2 },
  '29a': { devices: 1 },
  '29b': { devices: 1 },
  '31': { problems: 1, shows: [/device group/], button: 'Ignore these columns' },
  '32b': { devices: 3 },
};

const upload = (dialog: Locator): Locator => dialog.getByRole('button', { name: 'Upload', exact: true });
/** The line that says what the check found. */
const verdict = (dialog: Locator): Locator => dialog.locator('.verdict');
const warnings = (dialog: Locator): Locator => dialog.getByRole('list', { name: 'Warnings' });
const problems = (dialog: Locator): Locator => dialog.getByRole('list', { name: 'Problems' });

test('every file from the field shows its outcome, the same as on the command line', async ({ portal, muster }) => {
  test.slow();
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const names = caseFiles();
  expect(names.map((name) => name.split('-')[0])).toEqual(Object.keys(CASES).sort());
  for (const name of names) {
    const expected = CASES[name.split('-')[0]];
    await test.step(name, async () => {
      await choose(portal, casePath(name));
      const found = verdict(dialog).filter({ hasText: `${name}: ` });
      await expect(found).toBeVisible();
      const counted = counts(await found.innerText());
      const { devices, problems: problemCount = 0, warnings: warningCount = 0 } = expected;
      expect.soft(counted, name).toEqual({ devices, problems: problemCount, warnings: warningCount });
      for (const sentence of expected.shows ?? []) await expect.soft(dialog, name).toContainText(sentence);
      await expect.soft(upload(dialog), name).toBeEnabled({ enabled: devices !== undefined });
      if (devices === undefined) await expect.soft(upload(dialog)).toHaveAccessibleDescription(/Fix these in the file|Map the columns|Ignore these columns/);
      await expect.soft(problems(dialog).getByRole('listitem'), name).toHaveCount(devices === undefined ? (expected.causes ?? 1) : 0);
      if (expected.isWhole) await expect.soft(problems(dialog).getByRole('table'), name).toHaveCount(0);
      if (expected.button !== 'Check again') await expect.soft(dialog.getByRole('button', { name: 'Check again' }), name).toHaveCount(0);
      if (expected.button) await expect.soft(dialog.getByRole('button', { name: expected.button }), name).toBeVisible();

      const command = checkOnCommandLine(casePath(name));
      const shown = { devices: devices ?? (await devicesByModel(dialog)), problems: counted.problems, warnings: counted.warnings };
      expect.soft(command, `${name} on the command line`).toEqual({ ...shown, code: devices === undefined ? 1 : 0 });
    });
  }
});

test('a header in other words is mapped to the end', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  // `Site` and `Class` could be anything, so the operator decides.
  const rows = ['Class,Serial,Site,Type,Label', `Small,AR-1,Hangar 1,${MODEL},Jet 1`, `Large,AR-2,Hangar 2,${MODEL},Jet 2`];
  await choose(portal, file('vendor.csv', `${rows.join('\n')}\n`));
  await expect(verdict(dialog)).toHaveText('vendor.csv: 1 problem found');
  await expect(upload(dialog)).toHaveAccessibleDescription('Map the columns, then check the file again.');
  const columns = dialog.getByRole('region', { name: 'Columns of the file' });
  await expect(columns.getByRole('row').nth(2)).toContainText('Serial');
  await expect(columns.getByRole('row').nth(2)).toContainText('AR-1');
  const fields = { '1 (Class)': 'Pricing tier', '2 (Serial)': 'Device name', '3 (Site)': 'Description', '4 (Type)': 'Model name', '5 (Label)': 'Device friendly name' };
  const again = dialog.getByRole('button', { name: 'Check again' });
  for (const [column, field] of Object.entries(fields)) {
    await columns.getByRole('combobox', { name: `Field of column ${column}`, exact: true }).selectOption(field);
  }
  // What cannot be is said, and cannot be checked.
  const site = columns.getByRole('combobox', { name: 'Field of column 3 (Site)' });
  await site.selectOption('Device name');
  await expect(again).toBeDisabled();
  await expect(again).toHaveAccessibleDescription('Device name is chosen for 2 columns. Choose it for one.');
  await site.selectOption('Description');
  await again.click();
  await expect(verdict(dialog)).toHaveText('vendor.csv: 2 devices, no problems');
  await expect(dialog.getByRole('heading', { name: 'Register devices' })).toBeFocused();
  await upload(dialog).click();
  await expectCounts(portal, '2', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expectDevice(portal, 'AR-1', ['Jet 1', 'Hangar 1', 'Small', MODEL]);
  await expectDevice(portal, 'AR-2', ['Jet 2', 'Hangar 2', 'Large', MODEL]);
});

test('a German header is proposed rightly, and a mapping can be changed', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, casePath('03c'));
  await dialog.getByRole('button', { name: 'Check again' }).click();
  await expect(verdict(dialog)).toContainText('1 device, no problems');
  await dialog.getByText('Map columns').click();
  const description = dialog.getByRole('combobox', { name: 'Field of column 4 (Beschreibung)' });
  await expect(description).toHaveValue('Description');
  await description.selectOption('Ignore');
  await dialog.getByRole('button', { name: 'Check again' }).click();
  await dialog.getByText('Map columns').click();
  await expect(description).toHaveValue('Ignore');
  await upload(dialog).click();
  await expectCounts(portal, '1', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expectDevice(portal, 'AR-101', ['Jet 1', 'Small', MODEL]);
  await expect(portal.locator('main')).not.toContainText('Hangar 1');
});

test('the first row can be marked as a device', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('fleet.csv', `name,model,serial\nPump-1,${MODEL},one\n`));
  const columns = dialog.getByRole('region', { name: 'Columns of the file' });
  await dialog.getByLabel('The first row is a device, not a header').check();
  await expect(columns.getByRole('rowheader')).toHaveText(['Column 1', 'Column 2', 'Column 3']);
  await expect(columns.getByRole('row').nth(1)).toContainText('Pump-1');
  await columns.getByRole('combobox', { name: 'Field of column 3', exact: true }).selectOption('Ignore');
  await dialog.getByRole('button', { name: 'Check again' }).click();
  await expect(verdict(dialog)).toHaveText('fleet.csv: 0 new · 2 will fail: unknown model');
  await expect(dialog.getByRole('region', { name: 'First rows of the file' }).getByRole('row').nth(1)).toContainText('name');
});

test('columns are mapped with the keyboard alone', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('vendor.csv', `Serial,Type,Site\nAR-1,${MODEL},North\n`));
  const again = dialog.getByRole('button', { name: 'Check again' });
  await expect(again).toBeVisible();
  const field = dialog.getByRole('combobox', { name: 'Field of column 3 (Site)' });
  await reach(portal, field);
  await portal.keyboard.type('Desc');
  await expect(field).toHaveValue('Description');
  await reach(portal, again);
  await portal.keyboard.press('Enter');
  await expect(verdict(dialog)).toContainText('1 device');
  await expect(dialog.getByRole('region', { name: 'First rows of the file' })).toContainText('North');
});

test('unknown columns are ignored to the end', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const path = casePath('04');
  await choose(portal, path);
  await expect(problems(dialog).getByRole('listitem')).toHaveCount(1);
  await dialog.getByRole('button', { name: 'Ignore these columns' }).click();
  await expect(verdict(dialog)).toHaveText(`${basename(path)}: 2 devices, no problems`);
  await expect(dialog).toContainText('Ignored columns: No., Serial, Batch, Delivered');
  expect(checkOnCommandLine(path, '--ignore-unknown-columns')).toEqual({ devices: 2, problems: 0, warnings: 0, code: 0 });
  await upload(dialog).click();
  await expectCounts(portal, '2', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expectDevice(portal, 'AR-101', [MODEL]);
  // The next file is not read that way.
  await open(portal, '/devices');
  await openRegister(portal);
  await choose(portal, path);
  await expect(verdict(dialog)).toContainText('1 problem found');
  // A column without a name is one of them.
  await choose(portal, file('unnamed.csv', `Device name,Model name,Pricing,,Colour\nA1,${MODEL},x,y,z\n`));
  await dialog.getByRole('button', { name: 'Ignore these columns' }).click();
  await expect(dialog).toContainText('Ignored columns: Pricing, (no name), Colour');
});

test('a file with a column for the group is led to the field for it', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, casePath('31'));
  await expect(problems(dialog)).toContainText('Device group');
  const group = dialog.getByLabel('Device group (optional)');
  await group.fill('Recall');
  await dialog.getByRole('button', { name: 'Ignore these columns' }).click();
  await expect(verdict(dialog)).toContainText('1 device, no problems');
  await expect(group).toHaveValue('Recall');
  await upload(dialog).click();
  await expectCounts(portal, '1', '0', '0');
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  await expectDevice(portal, 'AR-101', ['Recall']);
});

test('names that lost their leading zeros are a warning before the upload', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  await register(portal, casePath('08'));
  await saveTokens(portal);
  await portal.keyboard.press('Escape');
  const dialog = await openRegister(portal);
  // As the spreadsheet saved it; a longer number and a registered one are no warnings.
  const names = ['12345', '12346', '359881234567890', '77'];
  await choose(portal, file('export.csv', names.map((name) => `${name},${MODEL}\n`).join('')));
  await expect(verdict(dialog)).toHaveText('export.csv: 3 new · 1 already registered · 2 warnings');
  await expect(verdict(dialog)).not.toHaveClass(/good/);
  await expect(warnings(dialog)).toContainText('`12345` looks like the registered device `0012345`');
  await expect(warnings(dialog).getByRole('row')).toContainText(['Registered device', '123450012345', '123460012346']);
  await expect(upload(dialog)).toBeEnabled();
});

test('warnings are separate from problems, and only problems prevent the upload', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const twins = `Pump-a,${MODEL},Jet ZÃ¼rich\nPUMP-A,${MODEL}\n`;
  await choose(portal, file('warned.csv', twins));
  await expect(verdict(dialog)).toHaveText('warned.csv: 2 devices, no problems, 2 warnings');
  await expect(verdict(dialog)).not.toHaveClass(/good|bad/);
  await expect(warnings(dialog).getByRole('listitem')).toHaveCount(2);
  await expect(problems(dialog)).toHaveCount(0);
  await expect(upload(dialog)).toBeEnabled();
  await choose(portal, file('both.csv', `${twins}a b,${MODEL}\n`));
  await expect(verdict(dialog)).toHaveText('both.csv: 1 problem found, 2 warnings');
  await expect(warnings(dialog).getByRole('listitem')).toHaveCount(2);
  await expect(problems(dialog).getByRole('listitem')).toHaveCount(1);
  await expect(problems(dialog)).toContainText('Line 3, column 1');
  await expect(upload(dialog)).toBeDisabled();
});

test('no green line is shown above devices that will fail', async ({ portal, muster, guard }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('good.csv', `A1,${MODEL}\n`));
  await expect(verdict(dialog)).toHaveClass(/good/);
  await choose(portal, file('fleet.csv', `A1,${MODEL}\nA2,No.Such\nA3,No.Such\n`));
  await expect(verdict(dialog)).toHaveText('fleet.csv: 1 new · 2 will fail: unknown model');
  await expect(verdict(dialog)).not.toHaveClass(/good/);
  // And where the server does not answer, nothing is known to be good.
  guard.expect(/Failed to load resource/);
  await portal.route('**/fn/unknown-models*', (route) => route.abort());
  await choose(portal, file('again.csv', `A1,${MODEL}\n`));
  await expect(dialog).toContainText('The file could not be compared with your models and devices');
  await expect(verdict(dialog)).toHaveText('again.csv: 1 device, no problems');
  await expect(verdict(dialog)).not.toHaveClass(/good/);
  await expect(upload(dialog)).toBeEnabled();
});

test('a group that was chosen stays in its field when another file is chosen', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('one.csv', `A1,${MODEL}\n`));
  await dialog.getByLabel('Device group (optional)').fill('North');
  await choose(portal, file('two.csv', `A2,${MODEL}\n`));
  await expect(verdict(dialog)).toContainText('two.csv');
  await expect(dialog.getByLabel('Device group (optional)')).toHaveValue('North');
});

test('many causes and long words leave the layout whole', async ({ portal }) => {
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  const tiers = Array.from({ length: 90 }, (_, at) => `D${at},${MODEL},Friendly name,Descriptive words,Tier${at}\n`);
  await choose(portal, file('fleet.csv', `Good,${MODEL},${'Wide words '.repeat(20)},Some description\n${tiers.join('')}`));
  await expect(problems(dialog).getByRole('listitem')).toHaveCount(90);
  const preview = dialog.getByRole('region', { name: 'First rows of the file' });
  for (const width of [1280, 390]) {
    await portal.setViewportSize({ width, height: 800 });
    expect((await preview.boundingBox())!.height, `the preview at ${width}`).toBeGreaterThan(200);
    expect(await brokenWords(dialog), `words broken at ${width}`).toEqual([]);
    const over = await dialog.evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
    expect(over, `dialog wider than itself at ${width}`).toBe(0);
  }
  const scrolls = await preview.evaluate((preview) => preview.scrollWidth > preview.clientWidth);
  expect(scrolls, 'a wide table scrolls on a phone').toBe(true);
});

test('axe finds nothing in the outcomes of a check, light or dark', async ({ portal, muster }) => {
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  for (const name of ['03a', '04', '06', '14b', '21', '25', '31']) {
    await choose(portal, casePath(name));
    await expect(verdict(dialog)).toContainText(basename(casePath(name)));
    for (const summary of await dialog.locator('details:not([open]) > summary').all()) await summary.click();
    await expectNoViolations(portal, name);
  }
});

/** The counts in a verdict. A file with problems does not say how many devices it has. */
function counts(text: string): { devices?: number; problems: number; warnings: number } {
  const number = (unit: string) => {
    const found = new RegExp(`([\\d,]+) ${unit}`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found.replaceAll(',', ''));
  };
  return { devices: number('devices?'), problems: number('problems? found') ?? 0, warnings: number('warnings?') ?? 0 };
}

/** The sum of the list *By model*, which is not there where there are no devices. */
async function devicesByModel(dialog: Locator): Promise<number> {
  const found = await dialog.locator('.summary > div:first-child b').allInnerTexts();
  return found.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0);
}

async function expectDevice(page: Page, name: string, texts: string[]): Promise<void> {
  await open(page, '/devices');
  await row(page, name).getByRole('link').click();
  for (const text of texts) await expect(page.locator('main')).toContainText(text);
}

/** Presses Tab until the focus is there. */
async function reach(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not reach it');
}

/** Words of at most 20 characters that go over two lines. */
async function brokenWords(dialog: Locator): Promise<string[]> {
  return dialog.evaluate((dialog) => {
    const broken: string[] = [];
    const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode as Text;
      for (const word of node.data.matchAll(/[\p{L}\p{N}]{2,20}/gu)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top)));
        if (lines.size > 1) broken.push(word[0]);
      }
    }
    return broken;
  });
}
