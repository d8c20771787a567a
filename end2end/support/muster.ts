// One `muster serve` of a test's own: a free port, an empty data folder, its log kept.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ADMIN = { email: 'admin@example.com', password: 'correct-horse-1' };

export const binary = resolve(import.meta.dirname, '..', process.env.MUSTER_BIN ?? '../target/release/muster');
const START_MS = 60_000;

/** What a server is started with, beside its port and its folder. */
export type MusterOptions = {
  /** How much it logs; empty for its default. */
  logLevel?: string;
  /** `postgres://…`; empty for SQLite in its data folder. */
  databaseUrl?: string;
  /** A command that becomes the server, such as `env --ignore-signal=XFSZ`. */
  through?: string[];
};

export class Muster {
  readonly folder = mkdtempSync(join(tmpdir(), 'muster-e2e-'));
  readonly data = join(this.folder, 'data');
  url = '';
  log = '';
  private process?: ChildProcess;

  private readonly options: MusterOptions;

  constructor(options: MusterOptions = {}) {
    this.options = options;
  }

  /** The process that runs now; `undefined`: it has ended. */
  get pid(): number | undefined {
    const child = this.process;
    return child && child.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  /** Starts the server; the second time on the port of the first. */
  async start(): Promise<void> {
    if (!existsSync(binary)) throw new Error(`There is no ${binary}. Build it with \`make build\`, or set MUSTER_BIN.`);
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const [command, ...args] = [...(this.options.through ?? []), binary, 'serve', '--listen', listen];
    const child = spawn(command, args, { env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    let output = '';
    this.url = await new Promise<string>((done, failed) => {
      const late = setTimeout(() => failed(new Error(`muster did not start:\n${output}`)), START_MS);
      child.once('error', failed);
      child.once('exit', () => failed(new Error(`muster ended at once:\n${output}`)));
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          this.log += text;
          const address = /^Muster is at (http:\/\/\S+)$/m.exec(output)?.[1];
          if (address) {
            clearTimeout(late);
            done(address);
          }
        });
      }
    });
  }

  /** Stops it: as a service manager does, or as a power cut does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs another command of the same binary on the same data. */
  async run(args: string[], stdin = ''): Promise<string> {
    const child = spawn(binary, args, { env: this.environment() });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stdin.end(stdin);
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`muster ${args.join(' ')} failed with ${code}:\n${output}`);
    return output;
  }

  /** What lies in the data folder, as bytes. */
  files(): { name: string; bytes: Buffer }[] {
    const all = readdirSync(this.folder, { recursive: true }).map(String);
    return all.filter((name) => statSync(join(this.folder, name)).isFile()).map((name) => ({ name, bytes: readFileSync(join(this.folder, name)) }));
  }

  /** The most memory that it has had at once. */
  peakBytes(): number {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(kib) * 1024;
  }

  /** Files and connections that it holds open. */
  openFiles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** A call of the device endpoint, as a device makes it. */
  async sendState(token: string, body: unknown = { altitude: 1200 }): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return fetch(`${this.url}/device/v1/state`, { method: 'POST', headers, body: text });
  }

  private environment(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    const { logLevel, databaseUrl } = this.options;
    const log = logLevel ? { MUSTER_LOG: logLevel } : {};
    const database = databaseUrl ? { MUSTER_DATABASE_URL: databaseUrl } : {};
    return { PATH, HOME, ...log, ...database, MUSTER_DATA_DIR: this.data, MUSTER_ADMIN_EMAIL: ADMIN.email, MUSTER_ADMIN_PASSWORD: ADMIN.password };
  }
}
