// Many devices that report at the same moment, again and again.
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** A device that was answered reports again after this: as long as the server asks the ones it refuses to wait. */
const PAUSE_MS = 1_000;

export type Answer = { status: number; retryAfter: string | undefined; ms: number };

export class Storm {
  readonly answers: Answer[] = [];
  /** How many requests nobody answered, by what became of them. */
  readonly dropped: Record<string, number> = {};
  private readonly url: string;
  private readonly tokens: string[];
  private readonly body: string;
  private isOver = false;

  constructor(url: string, tokens: Iterable<string>, body: unknown = { altitude: 1200 }) {
    this.url = url;
    this.tokens = [...tokens];
    this.body = JSON.stringify(body);
  }

  /** Rages while this is done. In the end each device waits for the answer it has asked for, and hangs up. */
  async during(work: () => Promise<void>): Promise<void> {
    const devices = this.tokens.map((token) => this.device(token));
    try {
      await work();
    } finally {
      this.isOver = true;
      await Promise.all(devices);
    }
  }

  /** One device, with a connection of its own that it keeps. */
  private async device(token: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.isOver) {
      const asked = performance.now();
      try {
        const { status, retryAfter } = await this.report(token, agent);
        this.answers.push({ status, retryAfter, ms: performance.now() - asked });
      } catch (error) {
        this.dropped[`${error}`] = (this.dropped[`${error}`] ?? 0) + 1;
      }
      await pause(PAUSE_MS);
    }
    agent.destroy();
  }

  private report(token: string, agent: Agent): Promise<{ status: number; retryAfter: string | undefined }> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(this.body) };
    return new Promise((done, failed) => {
      const sent = request(`${this.url}/device/v1/state`, { method: 'POST', agent, headers }, (answer) => {
        answer.on('error', failed).on('end', () => done({ status: answer.statusCode!, retryAfter: answer.headers['retry-after'] })).resume();
      });
      sent.on('error', failed).end(this.body);
    });
  }
}
