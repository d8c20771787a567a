// The rules of the registration file, for parsers that know none: what Muster checks, written as JavaScript is written
// to be quick. The repeated names are only found, without saying where the first is, which is a little less work.
"use strict";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const MODEL = /^(?=.{1,256}$)[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const TIERS = new Set(["", "ExtraSmall", "Small", "Medium", "Large"]);
const MAX_PROBLEMS = 1000;

class Rules {
  devices = 0;
  problemCount = 0;
  problems = [];
  models = new Map();
  tiers = new Map();
  names = new Set();
  line = 0;

  row(cells) {
    this.line += 1;
    const before = this.problemCount;
    const [name, model, friendlyName = "", description = "", tier = ""] = cells;
    if (cells.length > 5) this.problem(6, "too-many-fields");
    if (!NAME.test(name)) this.problem(1, "device-name");
    // A model that was right before is right now; that spares nearly every test of it.
    const devices = this.models.get(model);
    if (devices === undefined && !MODEL.test(model)) this.problem(2, "model-name");
    if (friendlyName.length > 256 || CONTROL.test(friendlyName)) this.problem(3, "friendly-name");
    if (description.length > 1024 || CONTROL.test(description)) this.problem(4, "description");
    if (!TIERS.has(tier)) this.problem(5, "pricing-tier");
    const named = this.names.size;
    this.names.add(name);
    if (this.names.size === named) this.problem(1, "duplicate");
    if (this.problemCount > before) return;
    this.devices += 1;
    this.models.set(model, (devices ?? 0) + 1);
    this.tiers.set(tier, (this.tiers.get(tier) ?? 0) + 1);
  }

  problem(column, kind) {
    this.problemCount += 1;
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ line: this.line, column, kind });
  }

  report() {
    const { devices, problemCount, problems, models, tiers } = this;
    return JSON.stringify({ devices, problem_count: problemCount, problems, models: [...models], tiers: [...tiers] });
  }
}
