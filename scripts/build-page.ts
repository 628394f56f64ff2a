// Puts the page that the server serves at `/` into dist/, where both src/ and dist/src/ look for it.
import { cpSync, mkdirSync } from "node:fs";

mkdirSync("dist/web", { recursive: true });
cpSync("src/web/page.html", "dist/web/page.html");
