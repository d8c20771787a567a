// Two accounts never see each other: by page, and by every server function.
import type { APIRequestContext, APIResponse, Page } from '@playwright/test';
import { ADMIN, type Muster } from './support/muster.ts';
import { MODEL, SEED_FILE, file, giveModel, modelDefinition, open, openRegister, choose, register, saveTokens, status, expectCounts } from './support/portal.ts';
import { call, endpoints, postcardBytes } from './support/server-functions.ts';
import { expect, signInQuietly, test } from './support/test.ts';

const OTHER = { email: 'other@example.org', password: 'other-horse-22' };
const NAMES = ['AutoRegister41', 'AutoRegister42'];
const ID = /"([0-9a-f]{8}-[0-9a-f-]{27})"/;

/** What the first account did: the id of its registration, and a part of a file as it went over the wire. */
type Done = { registration: string; part: Buffer; tokens: Map<string, string> };

/** One call of a server function with the other account's things, and what may come of it. */
type Try = { body: (done: Done) => unknown; may: (answer: APIResponse) => Promise<void> };

const gives = (expected: unknown) => async (answer: APIResponse) => {
  expect(answer.status()).toBe(200);
  expect(await answer.json()).toEqual(expected);
};
const refused = async (answer: APIResponse) => {
  expect(answer.status()).toBe(422);
  expect(Object.keys(await answer.json())).toEqual(['Refused']);
};
const bytes = (expected: number[]) => async (answer: APIResponse) => {
  expect(answer.status()).toBe(200);
  expect([...(await answer.body())]).toEqual(expected);
};
const filter = { search: null, status: null, model: null, tier: null, groups: [] as string[], never_seen: false, registration: null };
const query = { filter, sort: 'Name', is_descending: false, position: 'First' };
/** All that match, as the page chooses them. */
const matching = { Matching: { filter, registered_by: Number.MAX_SAFE_INTEGER, except: [], after: null } };
const outcome = { devices: 0, next: null };
const dated = (value: unknown) => ({ value, now: expect.any(Number) });

/** Every server function. One that is missing here fails the first test. */
const TRIES: Record<string, Try> = {
  'devices': { body: () => ({ query }), may: gives(dated({ items: [], total: 0, has_next: false, has_previous: false, is_too_large: false, names_not_found: { count: 0, first: [] } })) },
  'count-devices': { body: () => ({ filter: { ...filter, groups: ['Paris'] } }), may: gives(0) },
  'device': { body: () => ({ name: NAMES[0] }), may: gives(null) },
  'change-devices': { body: () => ({ targets: { Named: NAMES }, change: 'Delete' }), may: gives(outcome) },
  'export-devices': { body: () => ({ targets: matching }), may: bytes([0, 0, 0, 0]) },
  'groups': { body: () => ({}), may: gives(dated([])) },
  'make-group': { body: () => ({ name: 'Rome' }), may: gives(null) },
  'rename-group': { body: () => ({ from: 'Paris', to: 'Oslo' }), may: refused },
  'delete-group': { body: () => ({ name: 'Paris' }), may: refused },
  'model-names': { body: () => ({}), may: gives([]) },
  'models': { body: () => ({}), may: gives(dated([])) },
  'unknown-models': { body: () => ({ names: [MODEL] }), may: gives([{ name: MODEL, nearest: null }]) },
  'example-report': { body: () => ({ name: MODEL }), may: gives(null) },
  'delete-model': { body: () => ({ name: MODEL }), may: refused },
  'registered-with-leading-zeros': { body: () => ({ names: ['41'] }), may: bytes([0]) },
  'begin-registration': { body: () => ({ file_name: 'x.csv', devices: 1, parts: 1, group: null }), may: async (answer) => expect(await answer.text()).toMatch(ID) },
  'register-part': { body: (done) => done.part, may: refused },
  // The rows of the part, without what it says of its registration.
  'dry-run-part': { body: (done) => done.part.subarray(20), may: async (answer) => expect((await answer.json()).failures).toMatchObject([{ failure: 'UnknownModel', rows: 3 }]) },
  'finish-registration': { body: (done) => ({ registration: done.registration }), may: refused },
  'registration-errors': { body: (done) => ({ registration: done.registration, after: null }), may: refused },
  'undo-registration': { body: (done) => ({ registration: done.registration, after: null }), may: gives(outcome) },
  // Its own from `begin-registration`, and no other.
  'registrations': { body: (done) => ({ before: done.registration }), may: gives(dated({ rows: [], has_older: false })) },
  'generate-tokens': { body: () => ({ targets: { Named: NAMES }, old: 'RevokeNow', job: { id: '018f0000-0000-4000-8000-000000000000', attempt: 1 } }), may: bytes([0, 0, 0]) },
  'default-tier': { body: () => ({}), may: gives('Small') },
  'set-default-tier': { body: () => ({ tier: 'Medium' }), may: gives(null) },
  'me': { body: () => ({}), may: gives({ email: OTHER.email, account: 'other' }) },
  'upload-model': { body: () => postcardBytes(modelDefinition()), may: gives({ Stored: { name: MODEL, outcome: 'Added' } }) },
  'sign-out': { body: () => ({}), may: gives(null) },
};

/** `sign-in` is what somebody without an account calls; sign-in.spec.ts is about it. */
const NOT_TRIED = ['sign-in'];

/** Whatever the first account can see of itself, without the clock. */
async function everything(request: APIRequestContext, url: string): Promise<unknown> {
  const asked = [['devices', { query }], ['device', { name: NAMES[0] }], ['device', { name: NAMES[1] }], ['groups', {}], ['models', {}], ['registrations', { before: null }], ['default-tier', {}]] as const;
  const answers = [];
  for (const [endpoint, body] of asked) {
    const answer = await call(request, url, endpoint, body);
    expect(answer.status()).toBe(200);
    answers.push([endpoint, JSON.parse(await answer.text(), (key, value) => (key === 'now' ? 0 : value))]);
  }
  return answers;
}

/** A UUID as Postcard writes it: its length, then its bytes. */
function uuid(bytes: Buffer): string {
  return bytes.toString('hex', 1).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The first account registers the seed's devices, and one row that fails. */
async function work(page: Page, muster: Muster): Promise<Done> {
  await giveModel(page, muster);
  const heard: { registration?: string; part?: Buffer } = {};
  page.on('response', async (answer) => {
    if (answer.url().endsWith('/fn/begin-registration')) heard.registration = uuid(await answer.body());
    if (answer.url().endsWith('/fn/register-part')) heard.part = answer.request().postDataBuffer() ?? undefined;
  });
  await open(page, '/devices');
  const dialog = await openRegister(page);
  await choose(page, file('fleet.csv', SEED_FILE + 'Failing1,No.Such.Model\n'));
  await dialog.getByLabel('Device group (optional)').fill('Paris');
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(page, '2', '1', '0');
  const tokens = await saveTokens(page);
  await expect.poll(() => heard.part && heard.registration).toBeTruthy();
  return { registration: heard.registration!, part: heard.part!, tokens };
}

async function addOther(muster: Muster): Promise<void> {
  await muster.run(['account', 'add', 'other']);
  await muster.run(['user', 'add', OTHER.email, '--account', 'other'], `${OTHER.password}\n`);
}

test('every server function is tried', () => {
  expect(endpoints()).toEqual([...Object.keys(TRIES), ...NOT_TRIED].sort());
});

test('signed out, every server function answers 401 and does nothing', async ({ portal, muster, playwright }) => {
  const done = await work(portal, muster);
  const before = await everything(portal.request, muster.url);
  const nobody = await playwright.request.newContext();
  for (const [endpoint, { body }] of Object.entries(TRIES)) {
    const answer = await call(nobody, muster.url, endpoint, body(done));
    if (endpoint === 'sign-out') continue;
    expect(answer.status(), endpoint).toBe(401);
    expect(await answer.json(), endpoint).toBe('SignedOut');
    expect(await answer.text(), endpoint).not.toMatch(/AutoRegister|Contoso|Paris|example/);
  }
  expect(await everything(portal.request, muster.url)).toEqual(before);
  for (const token of done.tokens.values()) expect((await muster.sendState(token)).status).toBe(204);
  await nobody.dispose();
});

test('another account sees nothing and changes nothing, by any server function', async ({ portal, muster, browser }) => {
  const done = await work(portal, muster);
  await addOther(muster);
  const before = await everything(portal.request, muster.url);
  const other = await browser.newContext();
  const page = await other.newPage();
  await signInQuietly(page, muster, OTHER);
  for (const [endpoint, { body, may }] of Object.entries(TRIES)) {
    await test.step(endpoint, async () => {
      const answer = await call(page.request, muster.url, endpoint, body(done));
      await may(answer);
      // A dry run names the rows that were sent to it.
      if (endpoint !== 'dry-run-part') expect(await answer.text()).not.toMatch(/AutoRegister|Paris|admin@/);
    });
    expect(await everything(portal.request, muster.url), `after ${endpoint}`).toEqual(before);
  }
  for (const token of done.tokens.values()) expect((await muster.sendState(token)).status).toBe(204);
  await other.close();
});

test('another account sees nothing on any page, and may use the same names', async ({ portal, muster, browser, guard }) => {
  const done = await work(portal, muster);
  await addOther(muster);
  guard.expect(/Failed to load resource.*404.*AutoRegister41/);
  const other = await browser.newContext({ baseURL: muster.url, acceptDownloads: true });
  await guard.watch(other);
  const page = await other.newPage();
  await signInQuietly(page, muster, OTHER);
  for (const path of ['/devices', '/devices?q=Auto', '/devices?group=Paris', '/devices/AutoRegister41', '/groups', '/models', '/registrations', '/settings']) {
    await open(page, path);
    await page.waitForLoadState('networkidle');
    const seen = await page.locator('body').innerText();
    expect(seen, path).toContain(OTHER.email);
    expect(seen.replace('AutoRegister41\n', ''), path).not.toMatch(/Concorde|Contoso\.Aircraft|fleet\.csv|AutoRegister42/);
  }
  await expect(page.getByText(ADMIN.email)).toBeHidden();

  await giveModel(page, muster);
  await open(page, '/devices');
  await register(page, file('devices.csv', SEED_FILE));
  await expectCounts(page, '2', '0', '0');
  const theirs = await saveTokens(page);
  await status(page).getByRole('button', { name: 'Done' }).click();

  // One's token moves one's own device, and no other.
  expect((await muster.sendState(theirs.get('AutoRegister41')!)).status).toBe(204);
  const first = await call(portal.request, muster.url, 'device', { name: 'AutoRegister41' });
  expect((await first.json()).value.item.status).toBe('Registered');
  expect((await muster.sendState(done.tokens.get('AutoRegister41')!)).status).toBe(204);
  await other.close();
});
