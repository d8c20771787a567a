// What a screen reader gets of the main pages and dialogs: the names of design.md, in order.
import { MODEL, SEED_FILE, act, choose, expectCounts, file, open, openRegister, status, withSeedDevices } from './support/portal.ts';
import { expect, test } from './support/test.ts';

test('the sign-in page', async ({ page }) => {
  await open(page, '/sign-in');
  await expect(page).toHaveTitle('Sign in · Muster');
  await expect(page.locator('body')).toMatchAriaSnapshot(`
    - main:
      - heading "Muster" [level=1]
      - text: Email
      - textbox "Email"
      - text: Password
      - textbox "Password"
      - button "Sign in"
  `);
});

test('the navigation says where one is', async ({ portal }) => {
  await open(portal, '/devices');
  for (const name of ['Device groups', 'Models', 'Registrations', 'Settings', 'Devices']) {
    const link = portal.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true });
    await link.click();
    await expect(link).toHaveAttribute('aria-current', 'page');
    await expect(portal).toHaveTitle(`${name} · Muster`);
    await expect(portal.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
  }
});

test('All Devices, with one ticked', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  await portal.getByRole('checkbox', { name: 'Select AutoRegister41' }).check();
  await expect(portal.locator('body')).toMatchAriaSnapshot(`
    - link "Skip to the content"
    - banner:
      - link "Muster"
      - navigation "Main":
        - link "Devices"
        - link "Device groups"
        - link "Models"
        - link "Registrations"
        - link "Settings"
      - text: admin@example.com
      - button "Sign out"
    - main:
      - heading "Devices" [level=1]
      - button "Actions"
      - search:
        - searchbox "Search devices"
        - combobox "Status":
          - option "Any status" [selected]
          - option "Registered"
          - option "Active"
          - option "Disabled"
        - combobox "Model":
          - option "Any model" [selected]
          - option "Contoso.Aircraft.AircraftModel"
        - combobox "Pricing tier":
          - option "Any tier" [selected]
          - option "ExtraSmall"
          - option "Small"
          - option "Medium"
          - option "Large"
        - combobox "Device group":
          - option "Any group" [selected]
        - checkbox "Never seen"
        - text: Never seen
      - status: 2 devices
      - paragraph:
        - status: 1 selected
        - button "Select all 2 matching"
        - button "Clear"
      - grid "All Devices":
        - rowgroup:
          - row:
            - columnheader:
              - checkbox "Select all devices on this page" [checked=mixed]
            - columnheader "Device name":
              - link "Device name"
            - columnheader "Model":
              - link "Model"
            - columnheader "Friendly name":
              - link "Friendly name"
            - columnheader "Pricing tier":
              - link "Pricing tier"
            - columnheader "Status":
              - link "Status"
            - columnheader "Last seen":
              - link "Last seen"
        - rowgroup:
          - row [selected]:
            - gridcell:
              - checkbox "Select AutoRegister41" [checked]
            - rowheader:
              - link "AutoRegister41"
            - gridcell "Contoso.Aircraft.AircraftModel"
            - gridcell "1st EM.Concorde Jet"
            - gridcell "Small"
            - gridcell "Registered"
            - gridcell "Never"
          - row:
            - gridcell:
              - checkbox "Select AutoRegister42" [checked=false]
            - rowheader:
              - link "AutoRegister42"
            - gridcell "Contoso.Aircraft.AircraftModel"
            - gridcell "2nd EM.Concorde Jet"
            - gridcell "ExtraSmall"
            - gridcell "Registered"
            - gridcell "Never"
  `);
  await portal.getByRole('button', { name: 'Actions' }).click();
  for (const item of ['Register devices', 'Generate token', 'Disable', 'Enable', 'Delete']) {
    await expect(portal.getByRole('menu', { name: 'Actions' }).getByRole('menuitem', { name: item, exact: true })).toBeEnabled();
  }
});

test('Models, Registrations, Settings, and one device', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const main = portal.locator('main');
  await open(portal, '/models');
  await expect(main).toMatchAriaSnapshot(`
    - heading "Models" [level=1]
    - button "Upload model"
    - grid "Models":
      - rowgroup:
        - row "Model name Properties Events Actions Devices Updated Delete"
      - rowgroup:
        - row:
          - rowheader "Contoso.Aircraft.AircraftModel"
          - gridcell "2"
          - gridcell "0"
          - gridcell "0"
          - gridcell "2 devices"
          - gridcell /just now|ago/
          - gridcell:
            - button "Delete Contoso.Aircraft.AircraftModel" [disabled]
  `);
  await open(portal, '/registrations');
  await expect(main).toMatchAriaSnapshot(`
    - heading "Registrations" [level=1]
    - grid "Registrations":
      - rowgroup:
        - row "File When By Devices Registered Already registered Failed Errors Undo"
      - rowgroup:
        - row /devices\\.csv .* admin@example\\.com 2 2 0 0/
  `);
  await open(portal, '/settings');
  await expect(main).toMatchAriaSnapshot(`
    - heading "Settings" [level=1]
    - heading "Default pricing tier" [level=2]
    - combobox "Default pricing tier":
      - option "ExtraSmall"
      - option "Small" [selected]
      - option "Medium"
      - option "Large"
  `);
  await open(portal, '/devices/AutoRegister41');
  await expect(main).toMatchAriaSnapshot(`
    - heading "AutoRegister41" [level=1]
    - term: Status
    - definition: Registered
    - term: Last seen
    - definition: Never
    - term: Model
    - definition: Contoso.Aircraft.AircraftModel
    - term: Friendly name
    - definition: 1st EM.Concorde Jet
    - term: Description
    - definition: The 1st Concorder Flight
    - term: Pricing tier
    - definition: Small
    - term: Device groups
    - definition
    - term: Registered
    - definition: /UTC/
    - term: Token created
    - definition: /UTC/
    - heading "Recent data" [level=2]
  `);
});

test('the dialogs', async ({ portal, muster }) => {
  await withSeedDevices(portal, muster);
  const dialog = await openRegister(portal);
  await choose(portal, file('bad.csv', `A1,${MODEL},,,small\nA2,${MODEL},,,small\n`));
  await expect(dialog).toMatchAriaSnapshot(`
    - dialog "Register devices":
      - heading "Register devices" [level=2]
      - button "Close"
      - status: "bad.csv: 2 problems found"
      - list "Problems":
        - listitem:
          - group:
            - text: /\`small\` is not a pricing tier\\. Did you mean Small\\? .* 2 rows/
            - group "First places":
              - table:
                - rowgroup:
                  - row "Line Column Value"
                - rowgroup:
                  - row "1 37 small"
                  - row "2 37 small"
      - button "Choose another file"
      - button "Upload" [disabled]
  `);
  await choose(portal, file('devices.csv', `${SEED_FILE}X1,No.Such\n`));
  await expect(dialog.getByText('not in your account')).toBeVisible();
  await expect(dialog).toMatchAriaSnapshot(`
    - dialog "Register devices":
      - status: "devices.csv: 0 new · 2 already registered · 1 will fail: unknown model"
      - list:
        - listitem:
          - code: No.Such
          - text: ": 1 device"
      - heading "By model" [level=3]
      - list:
        - listitem: Contoso.Aircraft.AircraftModel 2
        - listitem: No.Such 1
      - heading "By pricing tier" [level=3]
      - list:
        - listitem: Default tier 1
        - listitem: ExtraSmall 1
        - listitem: Small 1
      - heading "First rows" [level=3]
      - region "First rows of the file":
        - table:
          - rowgroup:
            - row "Line Device name Model name Device friendly name Description Pricing tier"
      - combobox "Device group (optional)"
      - button "Upload"
  `);
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
  await expectCounts(portal, '0', '1', '2');
  await expect(status(portal).getByRole('button', { name: 'Done' })).toBeVisible();
  await expect(status(portal)).toMatchAriaSnapshot(`
    - dialog "Registration status":
      - heading "Registration status" [level=2]
      - button "Close"
      - progressbar "Registering"
      - list:
        - listitem: Registered 0
        - listitem: Failed 1
        - listitem: Already registered 2
      - paragraph:
        - button "errors.csv"
      - button "Generate tokens"
      - button "Done"
  `);
  await status(portal).getByRole('button', { name: 'Done' }).click();
  await portal.getByRole('checkbox', { name: 'Select AutoRegister41' }).check();
  await act(portal, 'Generate token');
  await expect(portal.getByRole('dialog')).toMatchAriaSnapshot(`
    - dialog "Generate token":
      - heading "Generate token" [level=2]
      - button "Close"
      - paragraph: A new token for 1 device.
      - group "Current tokens":
        - radio "Keep working until the new token is first used" [checked]
        - radio "Revoke immediately"
      - button "Cancel"
      - button "Generate"
  `);
});
