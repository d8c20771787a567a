// Checks a registration file off the main thread, with a WASM module that only this worker loads.
// In: {file}. Out: {read: bytes so far}…, then {report: Postcard, memory: bytes}, {unreadable: name of a DOMException}
// or {failed: sentence}.

const PIECE_BYTES = 1024 * 1024; // Large enough that what the browser does for each hardly counts.
const TELL_MS = 50; // A bar that moves 20 times a second moves smoothly; the page has other things to do.

const begun = load();
// Should it fail, that is reported when there is a file.
begun.catch(() => {});

async function load() {
  const { default: init, FileCheck } = await import("./check.js");
  return { FileCheck, memory: (await init()).memory };
}

self.onmessage = async ({ data: { file } }) => {
  try {
    const { FileCheck, memory } = await begun;
    const check = new FileCheck(PIECE_BYTES);
    let read = 0;
    let told = performance.now();
    for await (const piece of pieces(file)) {
      if (!check.push(piece)) break;
      read += piece.length;
      if (performance.now() - told < TELL_MS) continue;
      told = performance.now();
      self.postMessage({ read });
    }
    const report = check.finish();
    self.postMessage({ report, memory: memory.buffer.byteLength }, [report.buffer]);
  } catch (error) {
    self.postMessage(error instanceof DOMException ? { unreadable: error.name } : { failed: String(error?.message ?? error) });
  }
};

// The reader of the file. It is held here because browsers clear away one that only its own pending read refers to,
// and then that read never ends.
let reader;

// A file piece by piece. A piece is gone when the next one is asked for: all are read into the same memory.
async function* pieces(file) {
  let at = 0;
  try {
    reader = file.stream().getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(PIECE_BYTES);
    while (true) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      at += value.length;
      yield value;
      buffer = value.buffer;
    }
  } catch {
    // Not every browser reads so. If it is the file that cannot be read, the slices tell.
  }
  while (at < file.size) {
    const slice = new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
    at += slice.length;
    yield slice;
  }
}
