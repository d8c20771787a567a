// The responses to a device that does something wrong, and when its token ends.
import { act, row, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

/** That the answer is a problem of this status; gives its text. */
async function problem(answer: Response, status: number): Promise<{ detail: string; field?: string }> {
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const body = JSON.parse(text);
  expect(body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
  expect(text).not.toContain('mst_0');
  return body;
}

test('a refused report gets the reason', async ({ portal, muster }) => {
  const token = (await withSeedDevices(portal, muster)).get('AutoRegister41')!;
  const url = `${muster.url}/device/v1/state`;

  const at = 40;
  const other = token[at] === 'A' ? 'B' : 'A';
  await problem(await muster.sendState(token.slice(0, at) + other + token.slice(at + 1)), 401);
  await problem(await muster.sendState(token.slice(0, -1)), 401);
  await problem(await muster.sendState('mst_'), 401);
  await problem(await muster.sendState('msk_' + token.slice(4)), 401);
  const missing = await fetch(url, { method: 'POST', body: '{}' });
  expect(missing.headers.get('www-authenticate')).toContain('Bearer');
  await problem(missing, 401);
  await problem(await fetch(url, { method: 'POST', headers: { authorization: 'Basic YTpi' }, body: '{}' }), 401);

  await problem(await muster.sendState(token, JSON.stringify({ callSign: 'x'.repeat(300 * 1024) })), 413);
  for (const body of ['', 'altitude=5', '{"altitude": 5', '[1]', '"text"', '\ufeff{']) await problem(await muster.sendState(token, body), 400);

  const contradictions: [object, RegExp][] = [
    [{ altitude: 'high' }, /^altitude$/],
    [{ altitude: -501 }, /^altitude$/],
    [{ callSign: 7 }, /^callSign$/],
    [{ altitude: 1, colour: 'red' }, /^colour$/],
  ];
  for (const [body, field] of contradictions) {
    const said = await problem(await muster.sendState(token, body), 422);
    expect(said.field).toMatch(field);
    expect(said.detail).toContain(said.field);
  }
  expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(405);
  await problem(await fetch(`${muster.url}/device/v1/nothing`, { method: 'POST', headers: { authorization: `Bearer ${token}` } }), 404);

  // None of that counted as data.
  await expect(row(portal, 'AutoRegister41')).toContainText('Registered');
  expect((await muster.sendState(token, {})).status).toBe(204);
  await expect(row(portal, 'AutoRegister41')).toContainText('Active');
});

test('disabling and deleting a device end its token at that moment', async ({ portal, muster }) => {
  const tokens = await withSeedDevices(portal, muster);
  const token = tokens.get('AutoRegister41')!;
  const doTo = async (item: string) => {
    await act(portal, item);
    const dialog = portal.getByRole('dialog', { name: `${item} 1 device?` });
    await dialog.getByRole('button', { name: item, exact: true }).click();
    await expect(dialog).toBeHidden();
  };
  expect((await muster.sendState(token)).status).toBe(204);
  await portal.getByRole('checkbox', { name: 'Select AutoRegister41' }).check();

  await doTo('Disable');
  await problem(await muster.sendState(token), 403);
  await expect(row(portal, 'AutoRegister41')).toContainText('Disabled');
  await doTo('Enable');
  expect((await muster.sendState(token)).status).toBe(204);
  await expect(row(portal, 'AutoRegister41')).toContainText('Active');
  await doTo('Delete');
  await problem(await muster.sendState(token), 401);
  await expect(row(portal, 'AutoRegister41')).toBeHidden();
  await expect(portal.getByText('1 device', { exact: true })).toBeVisible();
  expect((await muster.sendState(tokens.get('AutoRegister42')!)).status).toBe(204);

  // A device registered later under the same name is another device.
  const again = await withSeedDevices(portal, muster);
  expect([...again.keys()]).toEqual(['AutoRegister41']);
  await problem(await muster.sendState(token), 401);
  expect((await muster.sendState(again.get('AutoRegister41')!)).status).toBe(204);
});

test('/healthz and /readyz answer', async ({ muster, page }) => {
  for (const path of ['/healthz', '/readyz']) expect((await page.request.get(muster.url + path)).status()).toBe(200);
});
