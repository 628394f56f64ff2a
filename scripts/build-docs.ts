// Writes docs/reference from the code; a test fails when a file there differs from what this writes.
import { writeFileSync } from "node:fs";
import { references } from "./reference/all.ts";

for (const [path, text] of await references()) {
  writeFileSync(path, text);
}
