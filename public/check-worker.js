// Checks a registration file off the main thread, with a WASM module that only this worker loads.
// In: {file, options: Postcard, lists_problems}. Out: {ready} when the module runs, {read: bytes so far}…, and at the end
// {report: Postcard, memory: bytes} or {problems: problems.csv}, {unreadable: name of a DOMException} or {failed: message,
// is_out_of_memory}.

const PIECE_BYTES = 1024 * 1024; // Large enough that what the browser does for each hardly counts.
const REPORT_MS = 50; // A bar that moves 20 times a second moves smoothly; the page has other things to do.

let memory;

// Imported here rather than at the top, so that a failure arrives with its message. An import at the top that fails is
// an error event without one.
async function load() {
  const { default: init, FileCheck } = await import("./check.js");
  ({ memory } = await init());
  self.postMessage({ ready: true });
  return FileCheck;
}

const begun = load();
begun.catch((error) => self.postMessage(failure(error)));

self.onmessage = async ({ data: { file, options, lists_problems } }) => {
  try {
    const FileCheck = await begun;
    const check = new FileCheck(PIECE_BYTES, options, lists_problems);
    let read = 0;
    let reported = performance.now();
    for await (const piece of pieces(file)) {
      if (!check.push(piece)) break;
      read += piece.length;
      if (performance.now() - reported < REPORT_MS) continue;
      reported = performance.now();
      self.postMessage({ read });
    }
    if (lists_problems) {
      const problems = check.problems_csv();
      return self.postMessage({ problems }, [problems.buffer]);
    }
    const report = check.finish();
    self.postMessage({ report, memory: memory.buffer.byteLength }, [report.buffer]);
  } catch (error) {
    self.postMessage(error instanceof DOMException ? { unreadable: error.name } : failure(error));
  }
};

function failure(error) {
  return { failed: String(error), is_out_of_memory: isOutOfMemory(error) };
}

// Browsers throw a RangeError where they have no memory to give. Rust stops with a trap that does not say why; then an
// attempt to get more memory does.
function isOutOfMemory(error) {
  if (error instanceof RangeError || /out of memory/i.test(error)) return true;
  if (!memory || !(error instanceof WebAssembly.RuntimeError)) return false;
  try {
    return void memory.grow(PIECE_BYTES / 65536);
  } catch {
    return true;
  }
}

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
    // WebKit does not read a file this way. If the file itself cannot be read, the slices report it.
  }
  while (at < file.size) {
    const slice = new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
    at += slice.length;
    yield slice;
  }
}
