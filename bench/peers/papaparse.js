// Checks a registration file with Papa Parse. In: {file}. Out: {report: JSON}.
importScripts("papaparse.min.js", "rules.js");

self.onmessage = ({ data: { file } }) => {
  const rules = new Rules();
  Papa.parse(file, {
    // Told rather than guessed. Whether a chunk has quotes it looks for itself, and is quick without (`fastMode`).
    delimiter: ",",
    newline: "\n",
    chunkSize: 1 << 20, // The quickest of 256 KiB to its own 10 MiB.
    chunk({ data }) {
      for (const cells of data) if (cells.length > 1 || cells[0]) rules.row(cells);
    },
    complete: () => self.postMessage({ report: rules.report() }),
    error: (error) => self.postMessage({ failed: String(error) }),
  });
};
