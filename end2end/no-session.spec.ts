// Somebody without a session holds no place by sending slowly.
import { request, type IncomingMessage } from 'node:http';
import { ADMIN } from './support/muster.ts';
import { endpoints } from './support/server-functions.ts';
import { expect, test } from './support/test.ts';

/** Those that are for somebody without a session. */
const OPEN = ['sign-in', 'sign-out'];

test('every server function but signing in and out answers before its body has come', async ({ muster }) => {
  const url = new URL(muster.url);
  for (const endpoint of endpoints().filter((endpoint) => !OPEN.includes(endpoint))) {
    const headers = { origin: url.origin, 'content-type': 'application/json', 'content-length': 1_000 };
    const sent = request(`${muster.url}/fn/${endpoint}`, { method: 'POST', headers });
    sent.on('error', () => {});
    const answer = await new Promise<IncomingMessage>((done) => {
      sent.on('response', done).write('{"');
    });
    expect(answer.statusCode, endpoint).toBe(401);
    expect(answer.headers['content-type'], endpoint).toContain('application/json');
    let text = '';
    for await (const piece of answer.setEncoding('utf8')) text += piece;
    expect(text, endpoint).toBe('"SignedOut"');
    sent.destroy();
  }
  const signIn = await fetch(`${muster.url}/fn/sign-in`, {
    method: 'POST',
    headers: { origin: url.origin, 'content-type': 'application/json' },
    body: JSON.stringify({ ...ADMIN, to: '/devices' }),
  });
  expect(signIn.status).toBe(200);
});
