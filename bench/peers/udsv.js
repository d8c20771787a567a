// Checks a registration file with uDSV. In: {file}. Out: {report: JSON}.
importScripts("uDSV.iife.min.js", "rules.js");

const PIECE_BYTES = 1024 * 1024;
let reader; // Held here, as in Muster's own worker: see there.

self.onmessage = async ({ data: { file } }) => {
  const rules = new Rules();
  const decoder = new TextDecoder();
  reader = file.stream().getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(PIECE_BYTES);
  let parser;
  const parse = (text) => {
    // There is no header. It looks for itself whether there are quotes, and is quick without.
    parser ??= uDSV.initParser(uDSV.inferSchema(text, { header: () => [], col: ",", row: "\n" }));
    parser.chunk(text, parser.stringArrs, (cells) => rules.row(cells));
  };
  while (true) {
    const { value, done } = await reader.read(new Uint8Array(buffer));
    if (done) break;
    parse(decoder.decode(value, { stream: true }));
    buffer = value.buffer;
  }
  parser.end();
  self.postMessage({ report: rules.report() });
};
