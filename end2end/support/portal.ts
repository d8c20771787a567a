// What a person does at the portal, by the names on the screen.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Muster } from './muster.ts';
import { call, postcardBytes } from './server-functions.ts';

export const MODEL = 'Contoso.Aircraft.AircraftModel';

/** The two entries of the seed page, as they stand there. */
export const SEED_FILE =
  'AutoRegister41,Contoso.Aircraft.AircraftModel,1st EM.Concorde Jet,The 1st Concorder Flight,Small\n' +
  'AutoRegister42,Contoso.Aircraft.AircraftModel,2nd EM.Concorde Jet,Jet No.009,ExtraSmall  \n';

export const UNAVAILABLE =
  'The server is temporarily unable to service your request due to maintenance downtime or capacity problems. Please try again later';
export const MODEL_NOT_FOUND = 'A request to add a device failed because the specified model was not found';

export const TOKEN = /^mst_[0-9A-Za-z]{72}$/;

export function modelDefinition(title = MODEL): Buffer {
  const properties = { altitude: { type: 'number', minimum: -500, unit: 'm' }, callSign: { type: 'string' } };
  return Buffer.from(JSON.stringify({ '@context': 'https://www.w3.org/2022/wot/td/v1.1', '@type': 'tm:ThingModel', title, properties }));
}

/** A file of a test. */
export function file(name: string, content: string | Buffer): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: 'text/csv', buffer: Buffer.from(content) };
}

/** Opens a page, and waits until it listens. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

export async function hydrated(page: Page): Promise<void> {
  await page.locator('body[data-hydrated]').waitFor({ state: 'attached' });
}

export async function signIn(page: Page, who: { email: string; password: string }): Promise<void> {
  await page.getByLabel('Email').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Puts a model into the account without the page. */
export async function giveModel(page: Page, muster: Muster, title = MODEL): Promise<void> {
  const answer = await call(page.request, muster.url, 'upload-model', postcardBytes(modelDefinition(title)));
  expect(answer.ok(), await answer.text()).toBe(true);
}

export async function act(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

export async function openRegister(page: Page): Promise<Locator> {
  await act(page, 'Register devices');
  const dialog = page.getByRole('dialog', { name: 'Register devices' });
  await expect(dialog).toBeVisible();
  return dialog;
}

/** Chooses a file in the dialog: a path, or one made by `file`. */
export async function choose(page: Page, what: string | ReturnType<typeof file>): Promise<void> {
  await page.getByRole('dialog').getByLabel('Registration file').setInputFiles(typeof what === 'string' ? what : onDisk(what));
}

/**
 * Writes a large file to disk, because passing its bytes to the browser takes seconds. Each gets its own folder: a page
 * refuses a file that was rewritten after its check.
 */
function onDisk(made: ReturnType<typeof file>): string | ReturnType<typeof file> {
  if (made.buffer.length < 1 << 20) return made;
  const path = join(mkdtempSync(test.info().outputPath('file-')), made.name);
  writeFileSync(path, made.buffer);
  return path;
}

/** The dialog of a file that is being registered. */
export function status(page: Page): Locator {
  return page.getByRole('dialog', { name: 'Registration status' });
}

export async function expectCounts(page: Page, registered: string, failed: string, already: string): Promise<void> {
  const counts = status(page).getByRole('listitem');
  await expect(counts).toHaveText([`Registered ${registered}`, `Failed ${failed}`, `Already registered ${already}`]);
}

/** Opens the dialog, chooses the file, uploads it, and waits for its end. */
export async function register(page: Page, what: string | ReturnType<typeof file>): Promise<void> {
  const dialog = await openRegister(page);
  await choose(page, what);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(status(page).getByRole('button', { name: 'Done' })).toBeVisible();
}

/** Presses a button that saves a file. */
export async function save(page: Page, button: Locator): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

export async function saveTokens(page: Page): Promise<Map<string, string>> {
  const saved = await save(page, page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }));
  expect(saved.name).toBe('tokens.csv');
  return tokens(saved.text);
}

/** The tokens of a `tokens.csv`, by device name; and that it is one: for scripts, with LF and without a byte order mark. */
export function tokens(text: string): Map<string, string> {
  const lines = text.split('\n');
  expect(lines.shift()).toBe('Device name,Security token');
  expect(lines.pop(), 'a line end at the end').toBe('');
  const found = new Map(lines.map((line) => line.split(',') as [string, string]));
  // One assertion for all: each is a step of the trace, and there may be 100,000.
  expect([...found.values()].filter((token) => !TOKEN.test(token))).toEqual([]);
  expect(found.size, 'each device once').toBe(lines.length);
  return found;
}

/** Signed in, with the model and the seed's devices, at `/devices`, all dialogs closed: gives the tokens. */
export async function withSeedDevices(page: Page, muster: Muster): Promise<Map<string, string>> {
  await giveModel(page, muster);
  await open(page, '/devices');
  await register(page, file('devices.csv', SEED_FILE));
  const saved = await saveTokens(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  return saved;
}

/** The row of a device in All Devices. */
export function row(page: Page, name: string): Locator {
  return page.getByRole('grid', { name: 'All Devices' }).getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
}
