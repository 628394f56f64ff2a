// Puts the page that the server serves at `/` into dist/, where both src/ and dist/src/ look for it.
import { cpSync, mkdirSync } from "node:fs";

mkdirSync("dist/web", { recursive: true });
cpSync("src/web/page.html", "dist/web/page.html");

// And the template of the harness's HTML report, beside the module that fills it.
cpSync("bench/report/page.html", "dist/bench/report/page.html");
