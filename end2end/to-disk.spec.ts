// Tokens that are written to a file of the person's choice while they are created.
import type { Page } from '@playwright/test';
import { answerPicker, onDisk } from './support/disk.ts';
import { Held, deviceName, rows, tickAll, withMany } from './support/many.ts';
import { act, choose, file, giveModel, open, openRegister, saveTokens, status, tokens } from './support/portal.ts';
import { browserStorage, tokensIn } from './support/secrets.ts';
import { expect, test } from './support/test.ts';

const LABEL = 'Write tokens.csv to disk as the tokens are created';
const DEVICES = 25_000;
const making = (page: Page) => page.getByRole('dialog', { name: 'Generate token' });

test.beforeEach(() => test.slow());

async function generate(page: Page): Promise<void> {
  await making(page).getByRole('button', { name: 'Generate', exact: true }).click();
}

test('the file grows while tokens are created, over Stop and Continue', async ({ portal, muster }) => {
  await answerPicker(portal, { what: 'file' });
  await withMany(portal, muster, DEVICES);
  await portal.getByRole('checkbox', { name: `Select ${deviceName(0)}` }).check();
  await act(portal, 'Generate token');
  await expect(making(portal).getByLabel(LABEL), 'it is for many').toBeHidden();
  await portal.keyboard.press('Escape');

  await tickAll(portal, '25,000');
  const jobs: { id: string; attempt: number }[] = [];
  portal.on('request', (request) => {
    if (request.url().endsWith('/fn/generate-tokens')) jobs.push(request.postDataJSON().job);
  });
  const held = await Held.from(portal, 'generate-tokens', 2);
  await act(portal, 'Generate token');
  await expect(making(portal).getByLabel(LABEL)).not.toBeChecked();
  await making(portal).getByLabel(LABEL).check();
  await generate(portal);
  await expect(making(portal)).toContainText('10,000 of 25,000 devices');
  expect(await portal.evaluate(() => window.disk_.asked)).toMatchObject([{ suggestedName: 'tokens.csv' }]);
  expect(await onDisk(portal), 'it is there from the start').toBe('Device name,Security token\n');
  expect(await portal.evaluate(() => window.disk_.bytes), 'bytes that were written').toBeGreaterThan(10_000 * 76);
  await making(portal).getByRole('button', { name: 'Stop' }).click();
  await held.go();
  await expect(making(portal)).toContainText('Stopped after 20,000 devices.');
  await expect(making(portal)).toContainText('tokens.csv saved: 20,000 security tokens.');
  expect(tokens(await onDisk(portal)).size).toBe(20_000);
  await expect(making(portal).getByRole('button', { name: 'Save', exact: true })).toBeHidden();

  await making(portal).getByRole('button', { name: 'Continue' }).click();
  await expect(making(portal)).toContainText('tokens.csv saved: 25,000 security tokens.');
  const written = tokens(await onDisk(portal));
  expect([...written.keys()]).toEqual(Array.from({ length: DEVICES }, (_, at) => deviceName(at)));
  for (let at = 0; at < DEVICES; at += 1_000) expect((await muster.sendState(written.get(deviceName(at))!)).status).toBe(204);
  expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
  expect(jobs.map((job) => job.attempt)).toEqual([1, 2, 3]);

  // Nothing is lost by closing it, and nothing is left anywhere else.
  await portal.keyboard.press('Escape');
  await expect(making(portal)).toBeHidden();
  const some = [written.get(deviceName(0))!, written.get(deviceName(24_999))!];
  const kept = Object.entries(await browserStorage(portal));
  expect(kept.flatMap(([place, text]) => tokensIn(place, Buffer.from(text), some))).toEqual([]);
});

test('where no file is chosen, nothing is generated', async ({ portal, muster }) => {
  await answerPicker(portal, { what: 'cancelled' });
  await withMany(portal, muster, 12_000);
  await tickAll(portal, '12,000');
  const held = await Held.from(portal, 'generate-tokens', 99);
  await act(portal, 'Generate token');
  await making(portal).getByLabel(LABEL).check();
  await generate(portal);
  await expect(making(portal).getByText('No file was chosen. Nothing was started.')).toBeVisible();
  expect(held.calls).toBe(0);
  await making(portal).getByLabel(LABEL).uncheck();
  await generate(portal);
  await expect(making(portal)).toContainText('12,000 tokens generated');
  expect((await saveTokens(portal)).size).toBe(12_000);
});

test('a disk that is full loses nothing: the rest is saved', async ({ portal, muster }) => {
  // The header, and the first 10,000.
  await answerPicker(portal, { what: 'full', after: 2 });
  await withMany(portal, muster, DEVICES);
  await tickAll(portal, '25,000');
  const held = await Held.from(portal, 'generate-tokens', 1);
  await act(portal, 'Generate token');
  await making(portal).getByLabel(LABEL).check();
  await generate(portal);
  await expect.poll(() => held.calls).toBe(1);
  await making(portal).getByRole('button', { name: 'Stop' }).click();
  await held.go();
  await expect(making(portal)).toContainText('tokens.csv saved: 10,000 security tokens.');
  await making(portal).getByRole('button', { name: 'Continue' }).click();
  await expect(making(portal)).toContainText("tokens.csv couldn't be completed: it has 10,000 security tokens. 15,000 more security tokens were created.");
  await portal.keyboard.press('Escape');
  await expect(making(portal).getByText('Close anyway?')).toBeVisible();
  await making(portal).getByRole('button', { name: 'Go back' }).click();
  const rest = await saveTokens(portal);
  const first = tokens(await onDisk(portal));
  expect([...first.keys(), ...rest.keys()]).toEqual(Array.from({ length: DEVICES }, (_, at) => deviceName(at)));
  for (const all of [first, rest]) for (const name of [[...all.keys()][0], [...all.keys()].at(-1)!]) expect((await muster.sendState(all.get(name)!)).status).toBe(204);
  await portal.keyboard.press('Escape');
  await expect(making(portal)).toBeHidden();
});

test('the tokens of an upload go to disk, too', async ({ portal, muster }) => {
  await answerPicker(portal, { what: 'file' });
  await giveModel(portal, muster);
  await giveModel(portal, muster, 'Contoso.Pump');
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('few.csv', rows(10_000)));
  await expect(dialog).toContainText('few.csv: 10,000 devices, no problems');
  await expect(dialog.getByLabel(LABEL)).toBeHidden();
  await choose(portal, file('fleet.csv', rows(DEVICES)));
  await expect(dialog).toContainText('fleet.csv: 25,000 devices, no problems');
  await dialog.getByLabel(LABEL).check();
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(status(portal)).toContainText('tokens.csv saved: 25,000 security tokens.');
  await expect(status(portal).getByRole('button', { name: 'Save', exact: true })).toBeHidden();
  const written = tokens(await onDisk(portal));
  expect([...written.keys()]).toEqual(Array.from({ length: DEVICES }, (_, at) => deviceName(at)));
  for (let at = 0; at < DEVICES; at += 1_000) expect((await muster.sendState(written.get(deviceName(at))!)).status).toBe(204);
  await portal.keyboard.press('Escape');
  await expect(portal.getByRole('dialog')).toBeHidden();
});

test('an upload for which no file is chosen is not begun', async ({ portal, muster }) => {
  await answerPicker(portal, { what: 'cancelled' });
  await giveModel(portal, muster);
  await open(portal, '/devices');
  const dialog = await openRegister(portal);
  await choose(portal, file('fleet.csv', rows(DEVICES)));
  const held = await Held.from(portal, 'begin-registration', 99);
  await dialog.getByLabel(LABEL).check();
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(dialog.getByText('No file was chosen. Nothing was started.')).toBeVisible();
  expect(held.calls).toBe(0);
});
