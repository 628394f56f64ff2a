// Writes the Grafana dashboard from its source; a test fails when the two differ.
import { writeFileSync } from "node:fs";
import { buildDashboard } from "../deploy/grafana/dashboard.ts";

writeFileSync(
  "deploy/grafana/dashboards/uws-echo.json",
  `${JSON.stringify(buildDashboard(), undefined, 2)}\n`,
);
