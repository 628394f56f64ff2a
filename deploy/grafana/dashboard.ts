// The source of dashboards/uws-echo.json: `npm run build:dashboard` writes it. Its panels are in rows.ts.
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { datasource } from "./panels.ts";
import { of } from "./queries.ts";
import { now, rows } from "./rows.ts";

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}

/** The dashboard as Grafana imports it; ids are numbers in order. */
export function buildDashboard(): Dashboard {
  const dashboard = new DashboardBuilder("uws-echo")
    .uid("uws-echo")
    .description("The WebSocket echo server. Generated from deploy/grafana/dashboard.ts.")
    .tags(["uws-echo", "websocket"])
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .withVariable(variable("job", "Job", "label_values(echo_build_info, job)"))
    .withVariable(variable("instance", "Server", `label_values(echo_build_info{job=~"$job"}, instance)`))
    .annotation(
      new AnnotationQueryBuilder()
        .name("Restarts")
        .datasource(datasource)
        .enable(true)
        .iconColor("orange")
        .expr(`changes(${of("process_start_time_seconds")}[1m]) > 0`)
        .titleFormat("restart")
        .textFormat("{{instance}}")
        .step("60s"),
    );
  for (const panel of now) {
    dashboard.withPanel(panel);
  }
  for (const [title, panels] of rows) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) {
      dashboard.withPanel(panel);
    }
  }
  const built = dashboard.build();
  return { ...built, panels: (built.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 })) };
}
