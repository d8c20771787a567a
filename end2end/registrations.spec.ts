// Registrations: the files of the past, as far back as they go.
import { call } from './support/server-functions.ts';
import { hydrated } from './support/portal.ts';
import { expect, test } from './support/test.ts';

test('those before the newest hundred are a page further', async ({ portal, muster }) => {
  for (let at = 1; at <= 103; at++) {
    const begun = { file_name: `fleet ${at}.csv`, devices: 1, parts: 1, group: null };
    expect((await call(portal.request, muster.url, 'begin-registration', begun)).ok()).toBe(true);
  }
  await portal.goto('/registrations');
  await hydrated(portal);
  const rows = portal.getByRole('grid', { name: 'Registrations' }).getByRole('rowheader');
  await expect(rows).toHaveCount(100);
  await expect(rows.first()).toContainText('fleet 103.csv');
  await expect(portal.getByRole('link', { name: 'Newest' })).toBeHidden();

  await portal.getByRole('link', { name: 'Older' }).click();
  await expect(rows).toHaveText([/fleet 3\.csv/, /fleet 2\.csv/, /fleet 1\.csv/]);
  await expect(portal.getByRole('link', { name: 'Older' })).toBeHidden();
  await portal.reload();
  await expect(rows).toHaveCount(3);
  await portal.getByRole('link', { name: 'Newest' }).click();
  await expect(rows).toHaveCount(100);
});
